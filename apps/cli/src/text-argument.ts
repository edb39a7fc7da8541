import { usageError } from "./errors.ts";
import type { CommandContext } from "./commands/command.ts";

/** What is to be said: the argument, or all of standard input for "-", and for none at the end of a pipe. @throws CommandError `usage` for nothing */
export async function textArgument(
  { environment }: Pick<CommandContext, "environment">,
  argument: string | undefined,
  usage: string,
): Promise<string> {
  const given = argument ?? (environment.isTyped ? undefined : "-");
  if (given === undefined) throw usageError(`latchkey ${usage}`);
  const text = given === "-" ? (await environment.readStdin()).replace(/\r?\n$/, "") : given;
  if (text.trim() === "") throw usageError("there is no text to send");
  return text;
}
