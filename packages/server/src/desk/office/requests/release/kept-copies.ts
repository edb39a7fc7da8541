import { toBase64Url } from "@latchkey/codec";
import type { KeptForOther } from "@latchkey/protocol/desk";
import { DeskError } from "../../desk-error.ts";
import { clocksOfRequest, scopeOf } from "../request-body.ts";
import type { StoredRequest } from "../request-body.ts";
import { questionOf } from "../request-operations.ts";
import type { CopyMark, KeptCopy } from "./copy-table.ts";
import type { ReleaseParts } from "./release-parts.ts";

type Parts = Pick<ReleaseParts, "requests" | "copies" | "options">;

/** A copy that goes out in place of what is held now. */
export interface FoundCopy extends KeptCopy {
  /** Another request that had it kept, as it stands: no more goes out of it than that asks for. */
  readonly keptFor?: StoredRequest;
}

/**
 * Whether the copies of an order to preserve may go out upon another request: who had them kept was verified, and that is neither disputed nor
 * refused, and their time is not over, whoever erases them.
 */
export function isGivable({ state, body }: StoredRequest, nowMs: number): boolean {
  const isOpen = state === "verified" || state === "narrowed";
  if (!isOpen || body.type.kind !== "preservation" || body.preservation?.state !== "kept") return false;
  return nowMs < (endOf({ body }) ?? 0);
}

/** The copies of other requests that can go out with this one. */
export function keptForOthers(parts: Parts, request: StoredRequest, nowMs: number): readonly KeptForOther[] {
  const { requests, copies } = parts;
  return copies.owners().flatMap((number) => {
    if (number === request.number) return [];
    const keeper = requests.require(number);
    const places = isGivable(keeper, nowMs) ? placesIn(parts, request, keeper) : new Map<number, number>();
    if (places.size === 0) return [];
    const marks = copies.marks(keeper);
    const { authority } = keeper.body.intake;
    return [
      {
        number,
        authority: authority.name,
        reference: authority.reference,
        places: [...places.keys()],
        asOfMs: Math.max(...[...places.values()].map((place) => marks.get(place)?.asOfMs ?? 0)),
        untilMs: endOf(keeper) ?? 0,
      },
    ];
  });
}

/**
 * The copy of each account of a request: what another request had kept where that one is named, else its own. One at a time is read.
 * @throws DeskError `changed` where the request that is named has nothing that can go out with this one
 */
export function copiesFor(
  parts: Parts,
  request: StoredRequest,
  { copyOf, nowMs }: { copyOf: number | undefined; nowMs: number },
): { readonly keeper: StoredRequest | undefined; at(place: number): FoundCopy | undefined } {
  const { requests, copies } = parts;
  const own = (place: number): FoundCopy | undefined => copies.at(request, place);
  if (copyOf === undefined) return { keeper: undefined, at: own };
  const keeper = copyOf === request.number ? undefined : requests.require(copyOf);
  const places = keeper !== undefined && isGivable(keeper, nowMs) ? placesIn(parts, request, keeper) : new Map<number, number>();
  if (keeper === undefined || places.size === 0) throw new DeskError("changed");
  return {
    keeper,
    at(place) {
      const kept = places.get(place);
      const copy = kept === undefined ? undefined : copies.at(keeper, kept);
      return copy === undefined ? own(place) : { ...copy, keptFor: keeper };
    },
  };
}

/**
 * Which of a request's places are about an account of which another had a copy kept: by the account's id; where nobody is called so any more,
 * by the same name or id as was asked for then.
 */
function placesIn({ copies, options }: Parts, request: StoredRequest, keeper: StoredRequest): ReadonlyMap<number, number> {
  const [own, kept] = [copies.marks(request), copies.marks(keeper)];
  const inScope = new Set(scopeOf(keeper).identifiers);
  const candidates = [...kept].filter(([place]) => inScope.has(place));
  const asked = (of: StoredRequest, place: number): string | undefined => {
    const identifier = of.body.intake.identifiers[place - 1];
    const question = identifier === undefined ? undefined : questionOf(identifier, options.host);
    if (question === undefined) return undefined;
    return "username" in question ? `name ${question.username}` : `account ${toBase64Url(question.accountId)}`;
  };
  const isOf = (place: number, keptPlace: number, mark: CopyMark): boolean => {
    const accountId = own.get(place)?.accountId ?? request.body.subjects.find((one) => one.place === place)?.accountId;
    if (accountId !== undefined) return accountId === mark.accountId;
    const question = asked(request, place);
    return question !== undefined && (question === asked(keeper, keptPlace) || question === `account ${mark.accountId}`);
  };
  return new Map(
    scopeOf(request).identifiers.flatMap((place) => {
      const found = candidates.find(([keptPlace, mark]) => isOf(place, keptPlace, mark));
      return found === undefined ? [] : [[place, found[0]] as const];
    }),
  );
}

function endOf(request: Pick<StoredRequest, "body">): number | undefined {
  return clocksOfRequest(request).find(({ kind }) => kind === "preservation")?.atMs;
}
