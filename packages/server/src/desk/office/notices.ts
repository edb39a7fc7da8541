import { decode } from "@latchkey/codec";
import type { DeskNotice } from "@latchkey/reports";
import { sealNotice as sealForDevice } from "@latchkey/reports/seal-notice";
import { deviceCardCodec, signedCodec } from "@latchkey/transparency";
import { dayMs } from "../../days.ts";
import { nodeSignatures } from "../../directory/signatures.ts";
import type { DeskSecrets } from "./desk-keys.ts";
import { random } from "./tellings.ts";

/** An item lies in an inbox for 30 days at most. */
const lifeMs: number = 30 * dayMs;

/** Seals a notice for one device (spec V-5). The card is one that the server verified when it took it. @throws ReportError `too_large` */
export async function sealNotice(params: {
  secrets: DeskSecrets;
  host: string;
  card: Uint8Array;
  inboxId: Uint8Array;
  notice: DeskNotice;
  nowMs: number;
}): Promise<Uint8Array> {
  const { secrets, host, inboxId, notice, nowMs } = params;
  const { deviceId, inboxKey } = decode(deviceCardCodec, decode(signedCodec, params.card).body);
  return await sealForDevice({
    suite: secrets.suite,
    signatures: nodeSignatures,
    random,
    secretKey: secrets.signatureKey,
    recipient: { host, deviceId, inboxId, inboxKey },
    notice,
    itemId: notice.noticeId,
    notAfterMs: nowMs + lifeMs,
  });
}
