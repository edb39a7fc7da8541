import { requestLimits } from "@latchkey/protocol/desk";
import { caseReaders } from "../case-operations.ts";
import { DeskError } from "../desk-error.ts";
import type { Input } from "../input.ts";
import type { Asker, Done, Operations } from "../operations.ts";
import { readNumber, readRequestAt } from "./read-request.ts";
import { record } from "./request-office.ts";
import type { RequestParts } from "./request-office.ts";
import { openStates, statesOf } from "./request-states.ts";
import type { RequestView } from "./request-view.ts";

/** Announcing and removing files of a request: their bytes come and go by paths of their own. */
export function fileOperations(parts: RequestParts, view: RequestView): Operations {
  const { requests, files, trail, transaction } = parts;
  return {
    "request-file-begin": {
      roles: caseReaders,
      run(input: Input, { staff, nowMs }: Asker): Done {
        const number = readNumber(input);
        const name = input.text("name", { most: requestLimits.fileName });
        const mediaType = input.text("mediaType", { most: 100 });
        // What is larger than may be is refused for that, not as nonsense.
        const sizeBytes = input.whole("sizeBytes", { least: 1, most: Number.MAX_SAFE_INTEGER });
        input.end();
        if (!/^[\w.+-]+\/[\w.+-]+$/.test(mediaType)) throw new DeskError("malformed");
        const file = transaction(() => {
          const request = requests.require(number);
          if (!openStates.includes(request.state)) throw new DeskError("changed");
          const begun = files.begin(request, { name, mediaType, sizeBytes, by: staff.name }, nowMs);
          trail.append({ actor: staff.name, act: "request file announced", details: { request: number, file: begun, sizeBytes } }, nowMs);
          return begun;
        });
        return { body: { file } };
      },
    },
    "request-file-remove": {
      roles: caseReaders,
      run(input: Input, asker: Asker): Done {
        const { staff, nowMs } = asker;
        const at = readRequestAt(input);
        const file = input.whole("file", { least: 1, most: Number.MAX_SAFE_INTEGER });
        input.end();
        const changed = transaction(() => {
          const request = requests.change(requests.requireAt(at, statesOf["request-file-remove"]), {});
          files.remove(at.number, file);
          trail.append({ actor: staff.name, act: "request file removed", details: { request: at.number, file } }, nowMs);
          return record(parts, request, { kind: "file", by: staff.name, text: `removed ${String(file)}`, nowMs });
        });
        return { body: { request: view(changed, asker) } };
      },
    },
  };
}
