import type { RequestDetail } from "@latchkey/client/desk";

/** What a request goes through, in order. */
export type RequestStep = "received" | "verified" | "identified" | "assembled" | "approved" | "released" | "answered" | "told" | "closed";

/** How one of them stands. */
export type StepState = "done" | "now" | "later";

const ofRelease: readonly RequestStep[] = ["received", "verified", "identified", "assembled", "approved", "released", "told", "closed"];
const ofLetter: readonly RequestStep[] = ["received", "verified", "answered", "closed"];

/** The steps of a request and how far it is: the first that is not done is what is to be done now. */
export function stepsOf(found: RequestDetail): readonly { readonly step: RequestStep; readonly state: StepState }[] {
  const isRefused = found.refusal !== undefined;
  const hasRelease = !isRefused && (found.kind === "disclosure" || found.kind === "rights" || found.release !== undefined);
  let isNow = true;
  return (hasRelease ? ofRelease : ofLetter).map((step) => {
    if (isDone(step, found)) return { step, state: "done" };
    const state = isNow && found.state !== "closed" ? "now" : "later";
    isNow = false;
    return { step, state };
  });
}

function isDone(step: RequestStep, found: RequestDetail): boolean {
  const { state, verification, release, notice, letters } = found;
  switch (step) {
    case "received":
      return true;
    case "verified":
      return verification !== undefined || found.refusal !== undefined;
    case "identified":
      return verification !== undefined && isLookedUp(found);
    case "assembled":
      return release !== undefined;
    case "approved":
      return release?.mayRelease === true || release?.released !== undefined || state === "approved";
    case "released":
      return release?.released !== undefined;
    case "answered":
      return letters.some(({ kind }) => kind !== "acknowledgement");
    case "told":
      return ["sent", "read", "cannot", "not-ours"].includes(notice.state);
    case "closed":
      return state === "closed";
  }
}

/** Whether it is known of everybody whom it asks about if there is such an account. */
export function isLookedUp(found: RequestDetail): boolean {
  const known = found.subjects.filter((one) => one.found !== undefined).map(({ place }) => place);
  return scopeOf(found).identifiers.every((place) => known.includes(place));
}

/** What of a request is answered: all of it where nothing was narrowed. */
export function scopeOf({ scope, intake }: RequestDetail): NonNullable<RequestDetail["scope"]> {
  return (
    scope ?? {
      identifiers: intake.identifiers.map((_, at) => at + 1),
      categories: intake.categories,
      ...(intake.period === undefined ? {} : { period: intake.period }),
    }
  );
}
