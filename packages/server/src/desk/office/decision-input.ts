import { decisionLimits, dsaCategories, dsaContentTypes, maxLimitDays, maxSanctionDays, restrictions } from "@latchkey/protocol/desk";
import type { DecisionGround, DecisionInput, UnfoundedReports } from "@latchkey/protocol/desk";
import { DeskError } from "./desk-error.ts";
import type { Input } from "./input.ts";

const kinds = ["dismiss", "warn", "restrict", "suspend"] as const;
const noRestrictions: readonly never[] = [];

/** A decision as it was written, with nothing missing that its kind needs. @throws DeskError `malformed` */
export function readDecision(input: Input): DecisionInput {
  const kind = input.choice("kind", kinds);
  const taken = input.has("restrictions") ? input.choices("restrictions", restrictions) : noRestrictions;
  const days = input.has("days") ? input.whole("days", { least: 1, most: maxSanctionDays }) : undefined;
  const ground = input.has("ground") ? readGround(input.object("ground")) : undefined;
  const unfounded = input.has("unfounded") ? readUnfounded(input.object("unfounded")) : undefined;
  const decision: DecisionInput = {
    kind,
    ...(kind === "restrict" ? { restrictions: taken } : {}),
    ...(days === undefined ? {} : { days }),
    ...(ground === undefined ? {} : { ground }),
    ...(unfounded === undefined ? {} : { unfounded }),
    facts: input.text("facts", { most: decisionLimits.facts }),
    category: input.choice("category", dsaCategories),
    ...(input.has("addedCategories") ? { addedCategories: input.choices("addedCategories", dsaCategories) } : {}),
    ...(input.has("keywords")
      ? { keywords: input.texts("keywords", { most: decisionLimits.keywords, pattern: /^KEYWORD_[A-Z_]{1,80}$/ }) }
      : {}),
    contentTypes: input.choices("contentTypes", dsaContentTypes, { least: 1 }),
    territory: input.texts("territory", { most: decisionLimits.territory, pattern: /^[A-Z]{2}$/ }),
    ...(input.has("contentLanguage") ? { contentLanguage: readLanguage(input) } : {}),
    toReporter: input.text("toReporter", { least: 0, most: decisionLimits.note }),
  };
  input.end();
  const isSanction = kind === "restrict" || kind === "suspend";
  // An end without a sanction, a sanction without one, a reason for nothing: meant otherwise.
  if (isSanction !== (days !== undefined) || (kind === "restrict") !== taken.length > 0) throw new DeskError("malformed");
  if ((kind === "dismiss") !== (ground === undefined)) throw new DeskError("malformed");
  if (kind !== "dismiss" && unfounded !== undefined) throw new DeskError("malformed");
  return decision;
}

function readUnfounded(input: Input): UnfoundedReports {
  const days = input.whole("days", { least: 0, most: maxLimitDays });
  input.end();
  return { days };
}

function readGround(input: Input): DecisionGround {
  const ground: DecisionGround = {
    kind: input.choice("kind", ["illegal", "incompatible"] as const),
    basis: input.text("basis", { most: decisionLimits.basis }),
    explanation: input.text("explanation", { most: decisionLimits.explanation }),
    ...(input.has("referenceUrl") ? { referenceUrl: readUrl(input) } : {}),
    ...(input.has("isAlsoIllegal") ? { isAlsoIllegal: input.flag("isAlsoIllegal") } : {}),
  };
  input.end();
  return ground;
}

function readUrl(input: Input): string {
  const url = input.text("referenceUrl", { most: decisionLimits.reference });
  if (!URL.canParse(url) || !url.startsWith("https://")) throw new DeskError("malformed");
  return url;
}

function readLanguage(input: Input): string {
  const language = input.text("contentLanguage", { most: 2 });
  if (!/^[a-z]{2}$/.test(language)) throw new DeskError("malformed");
  return language;
}
