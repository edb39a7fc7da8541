import type { AdminCommands, Params } from "./params.ts";

/** What the operator's machine does for the operator. */
export interface Maintenance {
  /** Makes the key that follows the public log's, and has it announced; says whether there was none yet. */
  readonly rotateLogKey: () => Promise<{ readonly isNew: boolean }>;
  /** The options that the server runs with, as `latchkey.config.json` takes them, without secrets. */
  readonly effectiveConfig: Readonly<Record<string, string | readonly string[]>>;
}

/** `rotate` and `export-config`. */
export function maintenanceCommands({ rotateLogKey, effectiveConfig }: Maintenance): AdminCommands {
  return {
    async rotate(params: Params) {
      params.end();
      const { isNew } = await rotateLogKey();
      return { isNew, countsAfterDays: 7, signsAloneAfterDays: 8 };
    },
    async "export-config"(params: Params) {
      params.end();
      return Promise.resolve(effectiveConfig);
    },
  };
}
