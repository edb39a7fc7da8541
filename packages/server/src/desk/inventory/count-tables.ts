import type { OtherTable, Tables } from "./entry.ts";

/** What the desk has of what it counts in public: no account, and which case of the desk a record is of, which nobody outside is told. */
function ofCounting(kept: string, columns: Readonly<Record<string, string>>): OtherTable {
  const why = "The server counts in public what it is asked and what is reported to it, in a way that everybody verifies.";
  return { tiedTo: "nobody", why, kept, category: "none", columns };
}

const asDesk = "As long as the desk.";
const untilOpened = "Until its half-year was opened.";

/** What `desk.sqlite` has of counting. */
export const countTables: Tables = {
  count_policies: ofCounting(asDesk, { period: "Which half-year.", policy: "How it is counted, as it was published." }),
  count_wish: ofCounting(asDesk, { id: "There is one.", policy: "How half-years to come are counted." }),
  count_seeds: ofCounting(untilOpened, { period: "Which half-year.", seed: "What the salts of empty slots are made of." }),
  count_cases: ofCounting("Three years after the last that was counted of it.", {
    ref: "Which case or request of the desk.",
    case_id: "Random bytes that stand for it in the count.",
    newest_ms: "When something of it was counted last.",
  }),
  count_records: ofCounting("Until its half-year was opened; what may be told later until that; with what of the case is counted.", {
    id: "The record's number.",
    ref: "Which case or request of the desk.",
    at_ms: "When it was counted.",
    is_secret: "Whether it stays sealed.",
    is_never: "Whether for good.",
    salt: "Random bytes that hide it.",
    record: "What is counted: kind, result, numbers.",
    country: "The country of the authority.",
    country_salt: "Random bytes that hide that.",
    due_period: "By when it is counted: the half-year.",
    due_batch: "And the batch.",
    period: "Where it is counted: the half-year.",
    batch: "The batch.",
    slot: "And the slot.",
    cleared_day: "When its secrecy ended.",
    document: "Which document ended it, as it is published.",
    cleared_by: "Who of the staff said so.",
    opened: "The opening that has it.",
  }),
  count_batches: ofCounting(untilOpened, {
    period: "Which half-year.",
    batch: "Which batch.",
    hashes: "The hashes of its slots.",
    trail_slot: "Which of them says where the desk's trail stands.",
    trail: "What it says.",
  }),
  count_outbox: ofCounting("Until it is in the public record.", { id: "Its place.", value: "What is to be published." }),
  count_values: ofCounting(asDesk, {
    version: "Which value of the label in the public record.",
    commitment: "Its commitment.",
    value: "What was published.",
    opening: "What opens the commitment.",
    entry_index: "Which entry of the log has it.",
    entry: "That entry.",
    map_proof: "What proves it there.",
  }),
  count_openings: ofCounting(asDesk, { period: "Which half-year.", number: "Which opening.", bytes: "What everybody is given." }),
};
