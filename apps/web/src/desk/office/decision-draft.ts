import { decisionLimits, maxLimitDays, maxSanctionDays } from "@latchkey/client/desk";
import type { DecisionInput, DsaCategory, DsaContentType, Restriction } from "@latchkey/client/desk";

/** A decision while it is being written: texts as they stand in the fields. */
export interface DecisionDraft {
  readonly kind: DecisionInput["kind"];
  readonly restrictions: readonly Restriction[];
  readonly days: string;
  /** Of a dismissal: whoever reported is warned, and limited for so many days who was before. */
  readonly isUnfounded: boolean;
  readonly limitDays: string;
  readonly groundKind: "illegal" | "incompatible";
  readonly basis: string;
  readonly explanation: string;
  readonly referenceUrl: string;
  readonly isAlsoIllegal: boolean;
  readonly facts: string;
  readonly category: DsaCategory | "";
  readonly addedCategories: readonly DsaCategory[];
  readonly keywords: string;
  readonly contentTypes: readonly DsaContentType[];
  readonly territory: string;
  readonly contentLanguage: string;
  readonly toReporter: string;
}

/** A field that is not as the desk takes it. */
export type DraftField =
  | "restrictions"
  | "days"
  | "limitDays"
  | "basis"
  | "explanation"
  | "referenceUrl"
  | "facts"
  | "category"
  | "keywords"
  | "contentTypes"
  | "territory"
  | "contentLanguage"
  | "toReporter";

/** Nothing decided yet: the mildest stands there, and whoever decides chooses. */
export const emptyDraft: DecisionDraft = {
  kind: "dismiss",
  restrictions: [],
  days: "30",
  isUnfounded: false,
  limitDays: "30",
  groundKind: "incompatible",
  basis: "",
  explanation: "",
  referenceUrl: "",
  isAlsoIllegal: false,
  facts: "",
  category: "",
  addedCategories: [],
  keywords: "",
  contentTypes: ["TEXT"],
  territory: "",
  contentLanguage: "",
  toReporter: "",
};

/** Whether something is taken from the account for a time. */
export function isSanction(kind: DecisionInput["kind"]): boolean {
  return kind === "restrict" || kind === "suspend";
}

/** What the desk is asked for; or every field that it would refuse. */
export function decisionOf(draft: DecisionDraft): { readonly input: DecisionInput } | { readonly missing: readonly DraftField[] } {
  const { kind, groundKind, category, contentTypes } = draft;
  const hasGround = kind !== "dismiss";
  const days = /^\d{1,4}$/.test(draft.days.trim()) ? Number(draft.days) : 0;
  const limitDays = /^\d{1,3}$/.test(draft.limitDays.trim()) ? Number(draft.limitDays) : -1;
  const isUnfounded = kind === "dismiss" && draft.isUnfounded;
  const text = (field: "basis" | "explanation" | "facts" | "toReporter" | "referenceUrl" | "contentLanguage"): string =>
    draft[field].trim();
  const territory = words(draft.territory).map((word) => word.toUpperCase());
  const keywords = words(draft.keywords).map((word) => word.toUpperCase());
  const missing: DraftField[] = [];
  const need = (field: DraftField, isThere: boolean): void => void (isThere || missing.push(field));
  const within = (value: string, most: number): boolean => value !== "" && value.length <= most;
  if (kind === "restrict") need("restrictions", draft.restrictions.length > 0);
  if (isSanction(kind)) need("days", days >= 1 && days <= maxSanctionDays);
  if (isUnfounded) need("limitDays", limitDays >= 0 && limitDays <= maxLimitDays);
  if (hasGround) {
    need("basis", within(text("basis"), decisionLimits.basis));
    need("explanation", within(text("explanation"), decisionLimits.explanation));
    need("referenceUrl", text("referenceUrl") === "" || isReference(text("referenceUrl")));
  }
  need("facts", within(text("facts"), decisionLimits.facts));
  need("category", category !== "");
  need("keywords", keywords.length <= decisionLimits.keywords && keywords.every((word) => /^KEYWORD_[A-Z_]{1,80}$/.test(word)));
  need("contentTypes", contentTypes.length > 0);
  need("territory", territory.length <= decisionLimits.territory && territory.every((word) => /^[A-Z]{2}$/.test(word)));
  need("contentLanguage", /^(?:[A-Za-z]{2})?$/.test(text("contentLanguage")));
  need("toReporter", text("toReporter").length <= decisionLimits.note);
  if (missing.length > 0 || category === "") return { missing };
  return {
    input: {
      kind,
      ...(kind === "restrict" ? { restrictions: draft.restrictions } : {}),
      ...(isSanction(kind) ? { days } : {}),
      ...(isUnfounded ? { unfounded: { days: limitDays } } : {}),
      ...(hasGround
        ? {
            ground: {
              kind: groundKind,
              basis: text("basis"),
              explanation: text("explanation"),
              ...(text("referenceUrl") === "" ? {} : { referenceUrl: text("referenceUrl") }),
              ...(groundKind === "incompatible" && draft.isAlsoIllegal ? { isAlsoIllegal: true } : {}),
            },
          }
        : {}),
      facts: text("facts"),
      category,
      ...(draft.addedCategories.length === 0 ? {} : { addedCategories: draft.addedCategories }),
      ...(keywords.length === 0 ? {} : { keywords }),
      contentTypes,
      territory,
      ...(text("contentLanguage") === "" ? {} : { contentLanguage: text("contentLanguage").toLowerCase() }),
      toReporter: text("toReporter"),
    },
  };
}

/** A saved decision, to be changed and decided anew. */
export function draftOf(decision: DecisionInput): DecisionDraft {
  const { ground } = decision;
  return {
    ...emptyDraft,
    kind: decision.kind,
    restrictions: decision.restrictions ?? [],
    days: decision.days === undefined ? emptyDraft.days : String(decision.days),
    isUnfounded: decision.unfounded !== undefined,
    limitDays: decision.unfounded === undefined ? emptyDraft.limitDays : String(decision.unfounded.days),
    groundKind: ground?.kind ?? emptyDraft.groundKind,
    basis: ground?.basis ?? "",
    explanation: ground?.explanation ?? "",
    referenceUrl: ground?.referenceUrl ?? "",
    isAlsoIllegal: ground?.isAlsoIllegal ?? false,
    facts: decision.facts,
    category: decision.category,
    addedCategories: decision.addedCategories ?? [],
    keywords: (decision.keywords ?? []).join(" "),
    contentTypes: decision.contentTypes,
    territory: decision.territory.join(" "),
    contentLanguage: decision.contentLanguage ?? "",
    toReporter: decision.toReporter,
  };
}

function isReference(url: string): boolean {
  return url.length <= decisionLimits.reference && url.startsWith("https://") && URL.canParse(url);
}

/** Words that spaces or commas part, each once. */
function words(text: string): readonly string[] {
  return [...new Set(text.split(/[\s,;]+/u).filter((word) => word !== ""))];
}
