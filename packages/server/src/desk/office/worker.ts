import { parentPort, workerData } from "node:worker_threads";
import { ServerError } from "../../errors.ts";
import { giveUp, ownBuffers } from "../../give-up.ts";
import { faultOf } from "../../store/sqlite/fault.ts";
import { DeskError } from "./desk-error.ts";
import type { FromOffice, OfficeCall, OfficeMethods, ToOffice } from "./messages.ts";
import { Office } from "./office.ts";
import type { OfficeOptions } from "./operations.ts";
import type { OfficeWorld, WorldQuestion } from "./world.ts";

if (parentPort === null) throw new Error("the desk's thread is started by the desk");
const port = parentPort;

function post(message: FromOffice, moved: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, [...moved]);
}

const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
let lastId = 0;

/** Asks the other thread. */
function ask<Name extends WorldQuestion>(name: Name, params: Parameters<OfficeWorld[Name]>[0]): ReturnType<OfficeWorld[Name]> {
  const id = ++lastId;
  const asked = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  post({ kind: "ask", id, name, params });
  // The other thread answers with what the method of this name does.
  return asked as ReturnType<OfficeWorld[Name]>;
}

const world: OfficeWorld = {
  usernameOf: (params) => ask("usernameOf", params),
  accountOf: (params) => ask("accountOf", params),
  restrict: (params) => ask("restrict", params),
  publishKeys: (params) => ask("publishKeys", params),
  counts: (params) => ask("counts", params),
  statesOf: (params) => ask("statesOf", params),
  holdingsOf: (params) => ask("holdingsOf", params),
  cardsOf: (params) => ask("cardsOf", params),
  postNotice: (params) => ask("postNotice", params),
};

async function open(): Promise<Office | undefined> {
  try {
    // The desk starts this thread with its own options.
    return await Office.open(workerData as OfficeOptions, world, (error) => post({ kind: "bug", fault: faultOf(error) }));
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    post({ kind: "refused", code: error.code, message: error.message });
    return undefined;
  }
}

/** Every method by its name, as the other thread calls it. */
function methodsOf(office: Office): OfficeMethods {
  return {
    handle: (request) => office.handle(request),
    isStaffed: () => office.isStaffed(),
    operatorCode: (params) => office.operatorCode(params),
    staff: () => office.staff(),
    waiting: () => office.waiting(),
    tick: (params) => office.tick(params),
    file: (params) => office.file(params),
    awaitedFile: (params) => office.awaitedFile(params),
    appendFile(params) {
      office.appendFile(params);
      giveUp(params.bytes);
    },
    filePart: (params) => office.filePart(params),
    releasedFile: (params) => office.releasedFile(params),
    exportYear: (params) => office.exportYear(params),
    seen: (body) => office.door.seen(body),
    arrive: (params) => office.door.arrive(params),
    announced: (hash) => office.door.announced(hash),
    attach: (params) => office.door.attach(params),
    counts: (params) => office.counts(params),
    answers: (body) => office.door.answers(body),
  };
}

async function answer(methods: OfficeMethods, { id, name, params }: OfficeCall): Promise<void> {
  try {
    // The name and what goes with it are of one pair.
    const value = await (methods[name] as (params: unknown) => unknown)(params);
    post({ kind: "done", id, value }, ownBuffers(value));
  } catch (error) {
    if (error instanceof DeskError) post({ kind: "not-done", id, code: error.code });
    else post({ kind: "failed", id, fault: faultOf(error) });
  }
}

const office = await open();
if (office !== undefined) {
  const methods = methodsOf(office);
  port.on("message", (message: ToOffice) => {
    if (message.kind === "call") {
      void answer(methods, message);
      return;
    }
    if (message.kind === "answer") {
      const asker = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.isDone) asker?.resolve(message.value);
      else asker?.reject(new Error("the server did not answer the desk"));
      return;
    }
    office.close();
    port.close();
  });
  post({ kind: "ready" });
}
