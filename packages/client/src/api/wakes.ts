/** How an account's host wakes devices (spec W-1). */
export interface PushKey {
  /** By which push services know the host (RFC 8292): `applicationServerKey` of a subscription. P-256, uncompressed, 65 bytes. */
  readonly key: Uint8Array;
  /** The push services that the host speaks to: hosts, or `*.` and a domain. */
  readonly services: readonly string[];
}

/** What has this device woken when something comes while nothing of it runs. */
export interface WakeCalls {
  /** How the account's host wakes devices, by its public record; `undefined` where it does not. @throws ClientError `offline`, `directory_unproven` */
  pushKey(): Promise<PushKey | undefined>;
  /** Where this device's push service takes messages for it; `undefined` where it is not to be woken. */
  pushEndpoint(): Promise<string | undefined>;
  /**
   * Lets the members of conversations wake this device by that address, or no more: each conversation is told so in the encryption, in
   * the next minutes, and only the account's host learns the address, when it is used. @throws ClientError `invalid_setting`, `not_permitted` where the host does not speak to that push service, `offline`
   */
  setPushEndpoint(endpoint: string | undefined): Promise<void>;
}
