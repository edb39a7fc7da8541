import type { OtherTable, Tables } from "./entry.ts";

/** What the desk has of a request of an authority: in no package, since it may be forbidden to say that there is one. */
function ofRequest(columns: Readonly<Record<string, string>>): OtherTable {
  return {
    tiedTo: "desk",
    why: "An authority asked for something, and people decide whether and what it gets. It is in no package: it may be forbidden to say that there is one, and that a copy may be kept is said to everybody, always.",
    kept: "Until the days after its end are over that the operator's table of types says.",
    category: "none",
    columns,
  };
}

/** What `desk.sqlite` has of requests of authorities. */
export const requestTables: Tables = {
  requests: ofRequest({
    number: "The request's number.",
    revision: "How often it was changed.",
    state: "How far it is.",
    opened_ms: "When it was taken in.",
    due_ms: "When something of it is due next.",
    erased_day: "The day on which it is erased.",
    key: "The key under which what it says lies encrypted.",
    body: "What it says: the authority, what is asked, of which accounts, and what was found. Encrypted.",
  }),
  last_request: {
    tiedTo: "nobody",
    why: "No number is given twice.",
    kept: "As long as the desk.",
    category: "none",
    columns: { id: "Always 1.", number: "The number of the newest request." },
  },
  request_events: ofRequest({
    id: "A number.",
    request_number: "Of which request.",
    at_ms: "When something was done.",
    kind: "What.",
    by: "Who did it.",
    text: "Notes of the staff, encrypted.",
  }),
  request_tasks: ofRequest({
    id: "A number.",
    request_number: "Of which request.",
    kind: "What is to be done.",
    due_ms: "By when.",
    done_ms: "When it was done.",
  }),
  request_letters: ofRequest({
    request_number: "Of which request.",
    number: "The letter's number there.",
    kind: "What kind of letter.",
    at_ms: "When it was written.",
    by: "Who wrote it.",
    letter: "What it says, encrypted.",
  }),
  request_files: ofRequest({
    request_number: "Of which request.",
    number: "The file's number there.",
    size_bytes: "Its size.",
    here_bytes: "How much of it has come.",
    at_ms: "When it was begun.",
    by: "Who brought it.",
    sha256: "Its hash.",
    name: "What it is called, encrypted.",
  }),
  request_parts: ofRequest({
    id: "A number.",
    request_number: "Of which request.",
    file: "Of which file.",
    part: "Which part of it.",
    bytes: "Its bytes, encrypted.",
  }),
  request_types: {
    tiedTo: "nobody",
    why: "What the operator changed of the table of kinds of requests.",
    kept: "As long as the desk.",
    category: "none",
    columns: { id: "Which kind.", change: "What was changed.", by: "Who changed it.", at_ms: "When." },
  },
  request_calendar: {
    tiedTo: "nobody",
    why: "Deadlines go by the operator's time zone and holidays.",
    kept: "As long as the desk.",
    category: "none",
    columns: { id: "Always 1.", calendar: "The time zone and the holidays." },
  },
  counted_requests: {
    tiedTo: "nobody",
    why: "What is published counts requests that are erased.",
    kept: "Until their years are long over.",
    category: "none",
    columns: { id: "A number.", erased_day: "When the request was erased.", facts: "Days, kinds and countries: of nobody." },
  },
};
