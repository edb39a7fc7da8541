import { parentPort, workerData } from "node:worker_threads";
import { ServerError } from "../../errors.ts";
import { faultOf } from "../../store/sqlite/fault.ts";
import { DeskError } from "./desk-error.ts";
import type { FromOffice, OfficeCall, OfficeMethods, ToOffice } from "./messages.ts";
import { Office } from "./office.ts";
import type { OfficeOptions } from "./operations.ts";

if (parentPort === null) throw new Error("the desk's thread is started by the desk");
const port = parentPort;

function post(message: FromOffice): void {
  port.postMessage(message);
}

function open(): Office | undefined {
  try {
    // The desk starts this thread with its own options.
    return new Office(workerData as OfficeOptions);
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
  };
}

async function answer(methods: OfficeMethods, { id, name, params }: OfficeCall): Promise<void> {
  try {
    // The name and what goes with it are of one pair.
    const value = await (methods[name] as (params: unknown) => unknown)(params);
    post({ kind: "done", id, value });
  } catch (error) {
    if (error instanceof DeskError) post({ kind: "not-done", id, code: error.code });
    else post({ kind: "failed", id, fault: faultOf(error) });
  }
}

const office = open();
if (office !== undefined) {
  const methods = methodsOf(office);
  port.on("message", (message: ToOffice) => {
    if (message.kind === "call") {
      void answer(methods, message);
      return;
    }
    office.close();
    port.close();
  });
  post({ kind: "ready" });
}
