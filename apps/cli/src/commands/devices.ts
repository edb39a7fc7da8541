import type { OwnDevice } from "@latchkey/client";
import { catchUp, waitMs } from "../conversations.ts";
import { CommandError, usageError } from "../errors.ts";
import { formatDay, formatTime, printableLine } from "../output.ts";
import type { Command, CommandContext } from "./command.ts";

/** `latchkey devices` and `latchkey devices remove ID`. */
export const devicesCommand: Command = {
  name: "devices",
  usage: "devices | devices remove ID | devices remove-others",
  summary: "list the devices of the account, or take one out",
  help: `A device that is taken out leaves every conversation at once. ID is as the list shows it; remove-others takes out all but this one.
To add one, see "latchkey link --help".`,
  positionals: [0, 2],
  run: devices,
};

async function devices({ output, positionals, withClient }: CommandContext): Promise<void> {
  const [action, id, ...rest] = positionals;
  const isOthers = action === "remove-others" && id === undefined;
  if (action !== undefined && !isOthers && (action !== "remove" || id === undefined || rest.length > 0)) {
    throw usageError(`latchkey ${devicesCommand.usage}`);
  }
  await withClient(async (client) => {
    await catchUp(client);
    if (id !== undefined) {
      const found = (await client.devices()).find(({ deviceId }) => deviceId === id);
      if (found === undefined) throw new CommandError("unknown_device", `there is no device ${printableLine(id)}: see "latchkey devices"`);
      await client.removeDevice(id);
      // Its leaves go before the profile is closed.
      await client.settle({ timeoutMs: waitMs });
    }
    if (isOthers) {
      await client.removeOtherDevices();
      await client.settle({ timeoutMs: waitMs });
    }
    for (const device of await client.devices()) output.result(device, formatDevice(device));
  });
}

function formatDevice({ deviceId, name, addedAtMs, lastUsedAtMs, isThisDevice }: OwnDevice): string {
  const shown = name === "" ? "(no name)" : printableLine(name);
  return `${deviceId}  ${shown}  added ${formatTime(addedAtMs)}  ${isThisDevice ? "this device" : `last used ${formatDay(Math.floor(lastUsedAtMs / 86_400_000))}`}`;
}
