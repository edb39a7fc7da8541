import { quietUntil, weekdays } from "@latchkey/client";
import type { QuietHours, QuietSpan, Weekday } from "@latchkey/client";
import { waitMs } from "../conversations.ts";
import { usageError } from "../errors.ts";
import { formatTime } from "../output.ts";
import type { Command } from "./command.ts";

const groups: Readonly<Record<string, readonly Weekday[]>> = {
  daily: weekdays,
  weekdays: weekdays.slice(0, 5),
  weekend: weekdays.slice(5),
  ...Object.fromEntries(weekdays.map((day) => [day, [day]])),
};

/** `latchkey quiet [DAYS FROM-TO | DAYS off]`. */
export const quietCommand: Command = {
  name: "quiet",
  usage: "quiet [DAYS FROM-TO | DAYS off]",
  summary: "when you want no notice of anything, by weekday; without more, when that is",
  help: `DAYS is daily, weekdays, weekend or a day such as monday; FROM and TO are times such as 22:30, and quiet hours that end before they
begin end on the day after. They are the same on all of your devices, each by the clock where it is; nobody else learns of them.`,
  positionals: [0, 2],
  async run({ output, positionals, withClient }) {
    const change = changeOf(positionals);
    await withClient(async (client) => {
      if (change !== undefined) {
        await client.setQuietHours(change(await client.quietHours()));
        await client.settle({ timeoutMs: waitMs });
      }
      const hours = await client.quietHours();
      const lines = weekdays.flatMap((day) => (hours[day] === undefined ? [] : [`${day.padEnd(9)}  ${formatSpan(hours[day])}`]));
      const untilMs = quietUntil(hours, Date.now());
      if (untilMs !== undefined) lines.push(`quiet now, until ${formatTime(untilMs)}`);
      output.result(hours, lines.length === 0 ? "no quiet hours" : lines.join("\n"));
    });
  },
};

/** What is set; `undefined` where nothing is. @throws CommandError for what cannot be meant */
function changeOf([named, given]: readonly string[]): ((hours: QuietHours) => QuietHours) | undefined {
  if (named === undefined) return undefined;
  // `latchkey quiet off`: of all days.
  const days = given === undefined && named === "off" ? weekdays : groups[named];
  const span = spanOf(given ?? named);
  if (days === undefined || span === undefined) throw usageError(`latchkey ${quietCommand.usage}`);
  return (hours) => {
    const kept = Object.entries(hours).filter(([day]) => !days.some((one) => one === day));
    return Object.fromEntries([...kept, ...(span === "off" ? [] : days.map((day) => [day, span] as const))]);
  };
}

function spanOf(text: string): QuietSpan | "off" | undefined {
  if (text === "off") return text;
  const found = /^([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-3]):([0-5]\d)$/u.exec(text);
  if (found === null) return undefined;
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = found.slice(1).map(Number);
  return { fromMinute: fromHour * 60 + fromMinute, toMinute: toHour * 60 + toMinute };
}

function formatSpan({ fromMinute, toMinute }: QuietSpan): string {
  const clock = (minute: number): string => [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, "0")).join(":");
  return `${clock(fromMinute)}-${clock(toMinute)}`;
}
