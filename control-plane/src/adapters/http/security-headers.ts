/** Headers that keep pages and answers from being used against their readers. */
import type { NextFunction, Request, Response } from 'express';

export interface SecuritySettings {
  readonly publicUrl: string;
  readonly sipWssUrl: string;
  /** This server ends TLS itself. */
  readonly tls: boolean;
  readonly corsOrigins: readonly string[];
}

const API_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** On everything: answers are never cached, sniffed, framed or referred to. */
export function securityHeaders(settings: SecuritySettings) {
  return (_request: Request, response: Response, next: NextFunction): void => {
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Referrer-Policy', 'no-referrer');
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('Content-Security-Policy', API_POLICY);
    response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
    if (settings.tls) response.setHeader('Strict-Transport-Security', 'max-age=31536000');
    next();
  };
}

/** On pages: own scripts only, the microphone and the position for this origin only, sockets to the gateway only. */
export function pageHeaders(settings: SecuritySettings): Readonly<Record<string, string>> {
  const sockets = new Set([
    new URL(settings.publicUrl.replace(/^http/, 'ws')).origin,
    new URL(settings.sipWssUrl).origin,
  ]);
  return {
    'Content-Security-Policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data:",
      "media-src 'self' blob: mediastream:",
      "worker-src 'self'",
      `connect-src 'self' ${[...sockets].join(' ')}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'Permissions-Policy':
      'microphone=(self), geolocation=(self), autoplay=(self), camera=(), display-capture=(), payment=(), usb=()',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cache-Control': 'no-cache',
  };
}

/** Pages of the configured origins may call the API. It uses no cookies, so no other page gains anything by it. */
export function crossOrigin(origins: readonly string[]) {
  const allowed = new Set(origins);
  return (request: Request, response: Response, next: NextFunction): void => {
    const origin = request.headers.origin;
    if (allowed.size > 0) response.setHeader('Vary', 'Origin');
    if (origin === undefined || !allowed.has(origin)) {
      next();
      return;
    }
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Expose-Headers', 'X-Request-Id, Retry-After');
    response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) {
      next();
      return;
    }
    response.setHeader('Access-Control-Allow-Methods', 'GET, POST, PUT, DELETE');
    response.setHeader('Access-Control-Allow-Headers', 'Authorization, Content-Type, Idempotency-Key');
    response.setHeader('Access-Control-Max-Age', '600');
    response.writeHead(204).end();
  };
}
