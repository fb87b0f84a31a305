/** The headless clients: what tests, demo and bench use. */
export {
  createHeadlessCitizen,
  type HeadlessCitizen,
  type HeadlessCitizenOptions,
  type LegTimes,
} from './headless-citizen.ts';
export {
  createHeadlessOperator,
  type HeadlessOperator,
  type HeadlessOperatorOptions,
  type HeardLeg,
} from './headless-operator.ts';
export { type SipRecord } from './node-socket.ts';
export { wallClockMs, type RecognisedTone } from './tone-listener.ts';
