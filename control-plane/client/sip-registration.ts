/**
 * REGISTER of one user agent (RFC 3261 §10), each with a deadline of its own. SIP.js' Registerer waits 32 s for
 * an answer that was lost with its connection, and refuses to send another meanwhile.
 */
import type { URI, UserAgent } from 'sip.js';
import { DeadlineError } from './deadline.ts';

/** The gateway refused, or could not be asked. `status` is SIP's. */
export class RegistrationError extends Error {
  readonly code = 'ERR_CLIENT_REGISTRATION';
  readonly status: number;

  constructor(status: number) {
    super(`REGISTER was answered ${status}`);
    this.name = 'RegistrationError';
    this.status = status;
  }
}

export class SipRegistration {
  private readonly agent: UserAgent;
  private readonly aor: URI;
  private readonly callId = crypto.randomUUID();
  private sequence = 0;

  constructor(agent: UserAgent, aor: URI) {
    this.agent = agent;
    this.aor = aor;
  }

  /** Resolves once the gateway has this device's contact; `expiresS` 0 takes it away. */
  register(expiresS: number, deadlineMs: number): Promise<void> {
    const registrar = this.aor.clone();
    registrar.user = undefined;
    this.sequence += 1;
    const contact = `Contact: ${this.agent.contact.toString({ register: true })};expires=${expiresS}`;
    const { userAgentCore: core } = this.agent;
    const message = core.makeOutgoingRequestMessage(
      'REGISTER',
      registrar,
      this.aor,
      this.aor,
      { callId: this.callId, cseq: this.sequence },
      [contact, `Expires: ${expiresS}`, 'Allow: INVITE, ACK, CANCEL, BYE, OPTIONS'],
    );
    return new Promise((resolve, reject) => {
      const request = core.register(message, {
        onAccept: () => {
          clearTimeout(timer);
          resolve();
        },
        onReject: (response) => {
          clearTimeout(timer);
          reject(new RegistrationError(response.message.statusCode ?? 0));
        },
      });
      const timer = setTimeout(() => {
        request.dispose();
        reject(new DeadlineError('REGISTER', deadlineMs));
      }, deadlineMs);
    });
  }
}
