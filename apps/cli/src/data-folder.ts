import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { CommandContext } from "./commands/command.ts";
import { stringOption } from "./commands/command.ts";
import { CommandError } from "./errors.ts";

/** The data folder that "latchkey serve" uses here: `--data`, `LATCHKEY_DATA`, the configuration file's, ./data. @throws CommandError */
export function dataFolderOf({ environment, values }: Pick<CommandContext, "environment" | "values">): string {
  const { variables, workingDirectory } = environment;
  const given = stringOption(values, "data") ?? variables["LATCHKEY_DATA"] ?? configured(resolve(workingDirectory, "latchkey.config.json"));
  if (given === "") throw new CommandError("invalid_option", "--data takes the folder of the server's data", { exitCode: 2 });
  return resolve(workingDirectory, given ?? "data");
}

function configured(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const file: unknown = JSON.parse(readFileSync(path, "utf8"));
    const data: unknown = typeof file === "object" && file !== null ? Reflect.get(file, "data") : undefined;
    return typeof data === "string" ? data : undefined;
  } catch (cause) {
    throw new CommandError("invalid_option", `${path} is not JSON: mend it, or say with --data where the data folder is`, {
      exitCode: 2,
      cause,
    });
  }
}
