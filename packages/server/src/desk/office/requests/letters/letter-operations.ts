import { toBase64Url } from "@latchkey/codec";
import { maxReceiptsTold, receiptText } from "@latchkey/counts";
import { form3Grounds, letterKinds, requestLimits } from "@latchkey/protocol/desk";
import type { LetterInput } from "@latchkey/protocol/desk";
import { caseReaders } from "../../case-operations.ts";
import { DeskError } from "../../desk-error.ts";
import type { Input } from "../../input.ts";
import type { Asker, Done, Operations } from "../../operations.ts";
import type { StoredRequest } from "../request-body.ts";
import { readNumber, readRequestAt } from "../read-request.ts";
import { openStates } from "../request-states.ts";
import type { RequestParts } from "../request-office.ts";
import { receiptsOf, record } from "../request-office.ts";
import type { RequestView } from "../request-view.ts";
import { composeLetter, letterText } from "./letter.ts";
import { letterPdf } from "./letter-pdf.ts";

/** Letters: what one would say, one that is written, and one that was, as text and as PDF. */
export function letterOperations(parts: RequestParts, view: RequestView): Operations {
  const { options, requests, letters, trail, transaction } = parts;
  const { host } = options;
  const receiptLines = (request: StoredRequest): readonly string[] => receiptsOf(parts, request).slice(-maxReceiptsTold).map(receiptText);
  return {
    "request-letter-preview": {
      roles: caseReaders,
      run(input: Input, { staff, nowMs }: Asker): Done {
        const request = requests.require(readNumber(input));
        const letter = readLetter(input.object("letter"));
        input.end();
        const details = { request: request.number, kind: letter.kind };
        transaction(() => trail.append({ actor: staff.name, act: "letter previewed", details }, nowMs));
        return { body: { text: letterText(composeLetter({ request, input: letter, host, nowMs, receipts: receiptLines(request) })) } };
      },
    },
    "request-letter-write": {
      roles: caseReaders,
      run(input: Input, asker: Asker): Done {
        const at = readRequestAt(input);
        const letter = readLetter(input.object("letter"));
        input.end();
        const { staff, nowMs } = asker;
        const changed = transaction(() => {
          const request = requests.change(requests.requireAt(at, openStates), {});
          const composed = composeLetter({ request, input: letter, host, nowMs, receipts: receiptLines(request) });
          const number = letters.add(request, composed, staff.name);
          trail.append(
            { actor: staff.name, act: "letter written", details: { request: at.number, letter: number, kind: letter.kind } },
            nowMs,
          );
          return record(parts, request, { kind: "letter", by: staff.name, text: letter.kind, nowMs });
        });
        return { body: { request: view(changed, asker) } };
      },
    },
    "request-letter-get": {
      roles: caseReaders,
      async run(input: Input, { staff, nowMs }: Asker): Promise<Done> {
        const request = requests.require(readNumber(input));
        const number = input.whole("letter", { least: 1, most: requestLimits.letters });
        input.end();
        const letter = letters.require(request, number);
        transaction(() =>
          trail.append({ actor: staff.name, act: "letter read", details: { request: request.number, letter: number } }, nowMs),
        );
        const pdf = toBase64Url(await letterPdf(letter));
        const name = `request-${String(request.number)}-letter-${String(number)}-${letter.kind}`;
        return { body: { text: letterText(letter), pdf, name } };
      },
    },
  };
}

function readLetter(input: Input): LetterInput {
  const kind = input.choice("kind", letterKinds);
  const letter: LetterInput = {
    kind,
    ...(input.has("words") ? { words: input.text("words", { least: 0, most: requestLimits.words }) } : {}),
    ...(input.has("grounds") ? { grounds: input.choices("grounds", form3Grounds, { least: 1 }) } : {}),
  };
  input.end();
  // Grounds are the form's, and it has some.
  if ((kind === "form-3") !== (letter.grounds !== undefined)) throw new DeskError("malformed");
  return letter;
}
