import type { AccountInfo, Client, LinkState } from "@latchkey/client";
import { hostname } from "node:os";
import { catchUp, waitMs } from "../conversations.ts";
import { CommandError, Stopped, usageError } from "../errors.ts";
import { formatPerson, printableLine } from "../output.ts";
import { rememberServer } from "../profile.ts";
import { qrText } from "../qr-text.ts";
import { stringOption } from "./command.ts";
import type { Command, CommandContext } from "./command.ts";

/** `latchkey link` on a new device, `latchkey link accept CODE` on one that has the account. */
export const linkCommand: Command = {
  name: "link",
  usage: "link | link accept CODE...",
  summary: "make this profile a further device of an account, or let one in",
  help: `  latchkey link                on the new device: shows a code and its twelve words, and waits
  latchkey link accept CODE    on a device of the account: CODE is the code, or the twelve words

Both then show six digits. Answer with y on both only if they are the same: else somebody sits in between.

  --name NAME   of link: what the new device is called in the list of devices (this machine's name)
  --yes         answers y by itself; whoever uses it compares the digits of both sides otherwise

With --json one object for each step: {"step":"offer"|"compare"|"moving"|"done",...}.`,
  options: { name: { type: "string" }, yes: { type: "boolean" } },
  positionals: [0, 13],
  run: link,
};

async function link(context: CommandContext): Promise<void> {
  const [action, ...code] = context.positionals;
  if (action !== undefined && (action !== "accept" || code.length === 0)) throw usageError(`latchkey ${linkCommand.usage}`);
  await context.withClient(async (client) => {
    if (action === "accept") await accept(context, client, code.join(" "));
    else await offer(context, client);
  });
}

async function offer(context: CommandContext, client: Client): Promise<void> {
  const { output, values, home, serverUrl } = context;
  const deviceName = stringOption(values, "name") ?? hostname();
  const linked = await followLinking(context, client, async () => {
    const { code, words, expiresAtMs } = await client.offerLink({ deviceName });
    output.result(
      { step: "offer", code, words, expiresAtMs },
      `${qrText(code)}\nOn a device of the account, scan this, or type\n\n  latchkey link accept ${words.join(" ")}\n`,
    );
  });
  if (serverUrl !== undefined) rememberServer(home, serverUrl);
  await client.settle({ timeoutMs: waitMs });
  output.result({ step: "done", account: linked }, linked === undefined ? "Linked" : `Linked to ${formatPerson(linked)}`);
}

async function accept(context: CommandContext, client: Client, code: string): Promise<void> {
  await catchUp(client);
  await followLinking(context, client, () => client.acceptLink(code));
  await client.settle({ timeoutMs: waitMs });
  context.output.result({ step: "done" }, "The device is linked");
}

/** Runs a linking to its end, asking about the digits. Resolves to the account of this profile. @throws CommandError when it failed */
async function followLinking(context: CommandContext, client: Client, begin: () => Promise<void>): Promise<AccountInfo | undefined> {
  const { output, environment } = context;
  const over = Promise.withResolvers<void>();
  let work: Promise<void> = Promise.resolve();
  let told = "";
  const take = async (state: LinkState): Promise<void> => {
    switch (state.kind) {
      case "waiting":
        return;
      case "compare": {
        const { digits, deviceName } = state;
        output.result(
          { step: "compare", digits, deviceName },
          `${digits}  is what the other device (${printableLine(deviceName)}) must show`,
        );
        await client.confirmLink(await areSame(context));
        return;
      }
      case "moving": {
        const { done, total } = state;
        const text = `Moving conversations and history: ${String(done)} of ${String(total)}`;
        if (text !== told) output.result({ step: "moving", done, total }, text);
        told = text;
        return;
      }
      case "done":
        over.resolve();
        return;
      case "failed":
        over.reject(new CommandError(state.failure.code, state.failure.message));
    }
  };
  const stop = client.subscribe((event) => {
    if (event.kind === "link") work = work.then(() => take(event.state)).catch(over.reject);
  });
  const stopped = environment.stopRequested().then(async (signal) => {
    await client.cancelLink();
    throw new Stopped(signal);
  });
  stopped.catch(() => undefined);
  try {
    // A failure may come before `begin` says the same.
    over.promise.catch(() => undefined);
    await begin();
    await Promise.race([over.promise, stopped]);
    await work;
    return await client.account();
  } finally {
    stop();
  }
}

async function areSame({ environment, values, output }: CommandContext): Promise<boolean> {
  if (values["yes"] === true) return true;
  environment.stderr.write("Are they the same on both screens? [y/N] ");
  const answer = (await environment.readLine()).trim().toLowerCase();
  const isSame = answer === "y" || answer === "yes";
  output.result({ step: "answer", same: isSame }, isSame ? "Waiting for the other device" : "Breaking the linking off");
  return isSame;
}
