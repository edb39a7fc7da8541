import type { ServerOptions } from "../config.ts";
import { diagnose } from "../doctor/diagnose.ts";
import type { RunningFacts } from "../doctor/examine.ts";
import type { AdminCommands, Params } from "./params.ts";

/** What `doctor` needs of the server that runs. */
export interface DoctorSources {
  readonly options: ServerOptions;
  readonly host: string;
  readonly running: () => Promise<RunningFacts>;
}

/** `doctor`: what is in order and what is not, in sentences. */
export function doctorCommands({ options, host, running }: DoctorSources): AdminCommands {
  return {
    async doctor(params: Params) {
      params.end();
      return { findings: await diagnose(options, { ...(await running()), host }) };
    },
  };
}
