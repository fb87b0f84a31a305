/** References to secrets, as trunk files and settings write them: `trunks/tata/password`. */

/** Two to six parts. No dot, no slash doubled, nothing that leads out of a directory. */
const FORM = /^[a-z][a-z0-9-]{0,62}(?:\/[a-z][a-z0-9-]{0,62}){1,5}$/;

export function isSecretReference(text: string): boolean {
  return FORM.test(text);
}
