import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { CommandContext } from "./commands/command.ts";
import { stringOption } from "./commands/command.ts";
import { invalidOption } from "./errors.ts";

/** The variable that holds the passphrase of the keys in backups. */
export const passphraseVariable = "LATCHKEY_BACKUP_PASSPHRASE";
const leastCharacters = 12;

/** The passphrase of the keys in a backup: from `--passphrase-file`, the variable, or the person, who is asked on standard error. @throws CommandError */
export async function askPassphrase(
  { environment, values }: Pick<CommandContext, "environment" | "values">,
  forWhat: string,
): Promise<string> {
  const file = stringOption(values, "passphrase-file");
  if (file !== undefined) return readPassphrase(resolve(environment.workingDirectory, file));
  const variable = environment.variables[passphraseVariable];
  if (variable !== undefined && variable !== "") return checked(variable);
  return checked(await environment.readSecret(`Passphrase ${forWhat}: `));
}

/** The first line of a file. @throws CommandError */
export function readPassphrase(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw invalidOption(`the passphrase file ${path} cannot be read`, cause);
  }
  return checked(text.split("\n")[0] ?? "");
}

function checked(text: string): string {
  const passphrase = text.trim();
  if (passphrase.length >= leastCharacters) return passphrase;
  const message = `a passphrase has ${String(leastCharacters)} characters at least: whoever finds the backup may try as many as they like`;
  throw invalidOption(message);
}
