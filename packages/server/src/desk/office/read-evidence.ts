import { toHex } from "@latchkey/codec";
import { knownStates, verifyReport } from "@latchkey/reports";
import type { OpenedReport } from "@latchkey/reports";
import { nodeSignatures } from "../../directory/signatures.ts";
import type { DeskSecrets } from "./desk-keys.ts";
import type { NewEvidence, Person } from "./evidence.ts";
import type { OfficeWorld } from "./world.ts";

/** What a report or an appeal shows and what of it is proved (spec V-6), and whose device signed it. */
export async function readEvidence(params: {
  opened: OpenedReport;
  files: readonly { readonly hash: Uint8Array; readonly bytes: Uint8Array }[];
  secrets: DeskSecrets;
  host: string;
  world: Pick<OfficeWorld, "statesOf">;
  nowMs: number;
}): Promise<{ evidence: NewEvidence; signer: Person | undefined }> {
  const { opened, files, secrets, host, world, nowMs } = params;
  const verified = await verifyReport(opened, new Map(files.map(({ hash, bytes }) => [toHex(hash), bytes])), {
    host,
    suite: secrets.suite,
    signatures: nodeSignatures,
    nowMs,
    async historyOf(accountId) {
      const states = await world.statesOf({ accountId });
      return states.length === 0 ? undefined : knownStates(states);
    },
  });
  const { conversation, items, verdicts } = verified;
  return {
    evidence: {
      conversation,
      items,
      files: verified.files,
      verdicts,
      // All of it: what is proved can be shown again to whoever decides an appeal.
      contexts: opened.encoded,
      words: opened.report.body.words,
    },
    signer: verified.reporter,
  };
}
