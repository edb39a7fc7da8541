import { MlsError } from "../errors.ts";
import { decodeMessage } from "../messages/message.ts";

/** Whom a Welcome is for, known without opening it. */
export interface InspectedWelcome {
  readonly cipherSuite: number;
  /** `KeyPackageRef` of each joiner (RFC 9420 section 5.2). */
  readonly references: readonly Uint8Array[];
}

/**
 * The key packages that a Welcome names, so that the joiner finds its secrets (RFC 9420 section 12.4.3.1).
 * @throws MlsError `malformed` when `message` is not an `MLSMessage` holding a Welcome.
 */
export function inspectWelcome(message: Uint8Array): InspectedWelcome {
  const body = decodeMessage(message);
  if (body.kind !== "welcome") throw new MlsError("malformed", "not a Welcome");
  const { cipherSuite, secrets } = body.welcome;
  return { cipherSuite, references: secrets.map(({ newMember }) => newMember.slice()) };
}
