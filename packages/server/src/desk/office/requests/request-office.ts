import type { KeptForOther, RequestEvent, RequestNotice, RequestRelease } from "@latchkey/protocol/desk";
import type { CountReceipt } from "@latchkey/counts";
import type { Asker, OfficeParts } from "../operations.ts";
import type { OfficeWorld } from "../world.ts";
import type { RequestFiles } from "./request-files.ts";
import type { LetterTable } from "./letters/letter-table.ts";
import type { RequestTable } from "./request-table.ts";
import type { RequestTasks } from "./request-tasks.ts";
import type { TypeTable } from "./type-table.ts";
import type { StoredRequest } from "./request-body.ts";

/** What happened to a request, for those parts of the desk that go by it. */
export interface RequestHappening {
  readonly kind: RequestEvent["kind"] | "erased";
  /** As it stands after it. */
  readonly request: StoredRequest;
  readonly nowMs: number;
}

/** A part of the desk that goes by requests: it is told of each act in the act's own transaction, and may add to what is shown. */
export interface RequestPart {
  /** Told of each act. What it throws undoes the act. */
  happened?(happening: RequestHappening): void;
  /** What would be released, or was. */
  release?(request: StoredRequest, asker: Asker): RequestRelease | undefined;
  /** Copies of other requests that can go out with it. */
  keptForOthers?(request: StoredRequest, asker: Asker): readonly KeptForOther[];
  notice?(request: StoredRequest): RequestNotice | undefined;
  /** What whoever is concerned has of its count, the oldest first. */
  receipts?(request: StoredRequest): readonly CountReceipt[];
  /** Whether a closed one is not to be erased yet. */
  keeps?(request: StoredRequest): boolean;
  /** Operations that the asker may do with it now. */
  may?(request: StoredRequest, asker: Asker): readonly string[];
}

/** What the operations on requests work with. */
export interface RequestParts extends OfficeParts {
  readonly requests: RequestTable;
  readonly tasks: RequestTasks;
  readonly types: TypeTable;
  readonly letters: LetterTable;
  readonly files: RequestFiles;
  readonly world: Pick<OfficeWorld, "accountOf">;
  /** Release, notices, counts. */
  readonly others: readonly RequestPart[];
}

/** What whoever a request concerns has of its count. */
export function receiptsOf({ others }: Pick<RequestParts, "others">, request: StoredRequest): readonly CountReceipt[] {
  return others.flatMap((other) => other.receipts?.(request) ?? []);
}

/** Writes an act down: its line in the story, its tasks, and what other parts do with it. In the caller's transaction. */
export function record(
  { requests, tasks, others }: Pick<RequestParts, "requests" | "tasks" | "others">,
  request: StoredRequest,
  event: { kind: RequestEvent["kind"]; by: string; text?: string; nowMs: number },
): StoredRequest {
  const { nowMs, ...line } = event;
  requests.tell(request, line, nowMs);
  tasks.sync(request);
  for (const other of others) other.happened?.({ kind: event.kind, request, nowMs });
  return requests.require(request.number);
}
