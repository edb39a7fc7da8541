/** The words about what somebody set of a group. */

/** "30 seconds", "5 minutes", "8 hours", "4 weeks": in the largest unit that it is a whole number of. */
function span(seconds: number): string {
  const units = [
    [604_800, "week"],
    [86_400, "day"],
    [3600, "hour"],
    [60, "minute"],
  ] as const;
  const [size, unit] = units.find(([of]) => seconds % of === 0) ?? ([1, "second"] as const);
  return new Intl.NumberFormat("en", { style: "unit", unit, unitDisplay: "long" }).format(seconds / size);
}

/** Lines of a conversation that tell of it. */
export const groupSettings = {
  described: (author: string): string => `${author} changed the description`,
  pictureChanged: (author: string): string => `${author} changed the picture`,
  timerChanged: (author: string, seconds: number): string =>
    seconds === 0 ? `${author} lets messages stay from now on` : `${author} lets messages disappear after ${span(seconds)} from now on`,
  slowModeChanged: (author: string, seconds: number): string =>
    seconds === 0 ? `${author} turned slow mode off` : `${author} set slow mode: ${span(seconds)} between two messages`,
  folded: {
    early: (author: string, count: number): string =>
      `${author} wrote ${count === 1 ? "a message" : `${String(count)} messages`} too soon for slow mode`,
    settings: (author: string, count: number): string => `${author} changed the settings ${String(count)} times`,
    show: "Show",
    hide: "Hide",
  },
  rightsChanged: (author: string): string => `${author} changed who may do what here`,
  roleChanged: {
    member: (author: string, who: string): string => `${author} took ${who} out of the administrators`,
    administrator: (author: string, who: string): string => `${author} made ${who} an administrator`,
    owner: (author: string, who: string): string => `${author} made ${who} an owner`,
  },
};
