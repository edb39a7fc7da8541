import { countsLabel } from "@latchkey/counts";
import { commitmentOf, decodeDirectoryProof, operatorLabel, peekHeadSize } from "@latchkey/transparency";
import type { OperatorLabels } from "../directory/operator-labels.ts";
import type { CountsInRecord } from "./office/counting/value-table.ts";

/** What the public record has under the label `counts` after the values that are known, with what proves the newest; publishes one first. */
export async function countsInRecord(
  labels: Pick<OperatorLabels, "publish" | "lookup">,
  { value, known }: { readonly value?: Uint8Array; readonly known: number },
): Promise<CountsInRecord | undefined> {
  if (value !== undefined) await labels.publish(countsLabel, value);
  const found = await labels.lookup({ name: countsLabel, knownValues: known, knownSize: 0 });
  const [newest] = found.value;
  if (newest === undefined) return undefined;
  const { head, labels: proofs } = decodeDirectoryProof(found.proof);
  const [label] = proofs;
  const last = label?.items.at(-1);
  if (label === undefined || last?.kind !== "opening") throw new Error("the newest value of a label is shown");
  const commitments = label.items.flatMap((item) => (item.kind === "commitment" ? [item.commitment] : []));
  const version = label.fromVersion + label.items.length;
  const own = commitmentOf({ opening: last.opening, label: operatorLabel(countsLabel), version, value: newest });
  const index = peekHeadSize(head) - 1;
  return {
    version,
    commitments: [...commitments, own],
    newest: { value: newest, opening: last.opening, index, entry: head.entry, mapProof: label.mapProof },
  };
}
