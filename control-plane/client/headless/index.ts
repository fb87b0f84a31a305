/** The headless clients: what the probe, tests, demo and bench use. */
export {
  createHeadlessCitizen,
  type HeadlessCitizen,
  type HeadlessCitizenOptions,
} from './headless-citizen.ts';
export {
  createHeadlessOperator,
  type HeadlessOperator,
  type HeadlessOperatorOptions,
} from './headless-operator.ts';
export { type SipRecord } from './node-socket.ts';
export { wallClockMs } from './tone-listener.ts';
