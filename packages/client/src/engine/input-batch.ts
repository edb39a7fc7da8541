import type { GroupState } from "@latchkey/mls";
import type { BlobReference } from "@latchkey/protocol";
import { step } from "../core/step.ts";
import type { Context, ConversationState, Effect, Input } from "../core/types.ts";

type StreamInput = Extract<Input, { kind: "entry" | "sealed" }>;

/** What comes of inputs that were taken together, before anything of it is stored. */
export interface TakenBatch {
  readonly state: ConversationState;
  readonly effects: readonly Effect[];
  /** Groups that were made on the way: what is not in the new state is erased once that is stored. */
  readonly groups: readonly GroupState[];
  /** An entry whose message lies in a blob, which has to be fetched first. */
  readonly fetched: { readonly reference: BlobReference; readonly input: Extract<Input, { kind: "entry" }> } | undefined;
  /** Entries behind it: they wait for that. */
  readonly parked: readonly StreamInput[];
}

/**
 * Steps through inputs one after the other.
 * @param context of each step, as the world is then
 * @param isParked entries wait for a blob already
 */
export async function takeBatch(
  context: () => Context,
  before: ConversationState,
  { inputs, isParked }: { readonly inputs: readonly Input[]; readonly isParked: boolean },
): Promise<TakenBatch> {
  let state = before;
  const effects: Effect[] = [];
  const groups: GroupState[] = [];
  let fetched: TakenBatch["fetched"];
  const parked: StreamInput[] = [];
  for (const input of inputs) {
    if ((input.kind === "entry" || input.kind === "sealed") && (isParked || fetched !== undefined)) {
      parked.push(input);
      continue;
    }
    const taken = await step(context(), state, input);
    if (taken.kind === "needs_blob") {
      if (input.kind !== "entry") throw new Error("only an entry needs a blob");
      fetched = { reference: taken.reference, input };
      continue;
    }
    state = taken.state;
    effects.push(...taken.effects);
    groups.push(...taken.groups);
  }
  return { state, effects, groups, fetched, parked };
}

/** Whether the log tells it again by itself. */
export function isFromLog(input: Input): boolean {
  return (
    input.kind === "entry" || input.kind === "sealed" || input.kind === "opened" || input.kind === "accepted" || input.kind === "refused"
  );
}
