import type { Conversation, FoundMessage, Message } from "@latchkey/client";
import type { Person } from "./person.ts";
import type { World } from "./world.ts";

/** What one person has of one conversation at the end. */
interface View {
  readonly person: Person;
  readonly conversation: Conversation;
  readonly lines: readonly Message[];
}

/** Where messages stand that are not in the log, be they acknowledged or not. */
const pendingFrom = 2 ** 52;

/** A text with who said it. */
function textOf(line: Message): string | undefined {
  return line.body.kind === "text" ? line.body.text : undefined;
}

function honest(world: World): Person[] {
  return [...world.people.values()].filter(({ isHonest }) => isHonest);
}

async function viewsOf(world: World): Promise<View[]> {
  const views: View[] = [];
  for (const person of honest(world)) {
    for (const conversation of await person.client.conversations()) {
      views.push({ person, conversation, lines: await person.client.messages(conversation.id, { limit: 10_000 }) });
    }
  }
  return views;
}

/**
 * Every promise that this world broke, in words; nothing when all were kept. Call when the world is calm. `mayLose`: somebody put into
 * the log, or kept back, what nobody can read; those lines say so.
 */
export async function brokenPromises(world: World, params: { readonly mayLose: boolean }): Promise<string[]> {
  const broken: string[] = [];
  const views = await viewsOf(world);
  for (const person of honest(world)) for (const fault of person.faults) broken.push(`${person.name}'s client failed: ${fault}`);
  const conversations = new Set(views.map(({ conversation }) => conversation.id));
  for (const id of conversations) {
    const shared = views.filter(({ conversation }) => conversation.id === id);
    broken.push(...once(shared), ...sameOrder(shared, params), ...everything(shared, params), ...sameMessages(shared, params));
  }
  broken.push(...views.flatMap((view) => [...toldLast(view), ...provenWhole(view)]));
  broken.push(...(await stuck(views, params)));
  broken.push(...acknowledged(world, views));
  broken.push(...(await unfound(views)));
  broken.push(...(await otherFiles(world, views)));
  return broken;
}

/** What was said to be sent is read byte for byte by everybody who has its message (spec X-23). */
async function otherFiles(world: World, views: readonly View[]): Promise<string[]> {
  const broken: string[] = [];
  // What the hostile member's own client sends is as good as anybody's.
  const sent = new Map([...world.people.values()].flatMap(({ files }) => [...files]));
  for (const { person, conversation, lines } of views) {
    for (const line of lines.filter(({ order }) => order < pendingFrom)) {
      const bytes = sent.get(textOf(line) ?? "");
      const [file] = line.files ?? [];
      if (bytes === undefined && file === undefined) continue;
      const [who, what] = [person.name, `the file of "${textOf(line) ?? ""}" in ${conversation.title}`];
      if (bytes === undefined || file === undefined) {
        // What was edited has other words, and its file still.
        if (line.edited === undefined) broken.push(`${who} has ${file === undefined ? "not" : "as if it were sent"} ${what}`);
        continue;
      }
      const read = Array.fromAsync(person.client.readFile(conversation.id, line.id, file.id)).then(
        (parts) => (Buffer.concat(parts).equals(bytes) ? undefined : "it is another"),
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      let outcome: { readonly reason: string | undefined } | undefined;
      void read.then((reason) => (outcome = { reason }));
      for (let tries = 0; tries < 200 && outcome === undefined; tries++) {
        await world.timeline.run(1000, () => outcome !== undefined);
        // Decrypting takes the process's own time.
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      if (outcome === undefined) broken.push(`${who} waits for ${what}`);
      else if (outcome.reason !== undefined) broken.push(`${who} cannot read ${what}: ${outcome.reason}`);
    }
  }
  return broken;
}

/** How many messages honest people have that somebody gave them (spec R-5). */
export async function givenIn(world: World): Promise<number> {
  return (await viewsOf(world)).reduce((sum, { lines }) => sum + lines.filter(({ sharedBy }) => sharedBy !== undefined).length, 0);
}

/** What an honest member gives of what was said before is proven, all of it (spec R-5). */
function provenWhole({ person, lines, conversation }: View): string[] {
  return lines.flatMap(({ body, author }) =>
    body.kind === "left_out" && body.unproven > 0
      ? [`of what ${author?.username ?? "somebody"} gave ${person.name} in ${conversation.title} ${body.unproven} did not hold`]
      : [],
  );
}

/** By a search everybody finds what they have of it, and nothing that they do not have (spec X-22). */
async function unfound(views: readonly View[]): Promise<string[]> {
  const broken: string[] = [];
  for (const person of new Set(views.map((view) => view.person))) {
    const own = views.filter((view) => view.person === person);
    // Every text begins with the name of its author.
    for (const name of new Set(own.flatMap(({ lines }) => lines.flatMap((line) => textOf(line)?.split(" ")[0] ?? [])))) {
      const found = await foundBy(person, name);
      for (const { conversation, lines } of own) {
        const inLog = lines.filter(({ order }) => order < pendingFrom);
        const there = new Set(inLog.filter((line) => textOf(line)?.includes(name) === true).map(({ id }) => id));
        const here = new Set(found.filter(({ conversationId }) => conversationId === conversation.id).map(({ messageId }) => messageId));
        const [missing, extra] = [[...there.difference(here)], [...here.difference(there)]];
        if (missing.length > 0 || extra.length > 0)
          broken.push(
            `${person.name} does not find ${String(missing.length)} texts of ${conversation.title} by "${name}", and ${String(extra.length)} that are not there`,
          );
      }
    }
  }
  return broken;
}

async function foundBy({ client }: Person, query: string): Promise<readonly FoundMessage[]> {
  const found: FoundMessage[] = [];
  let page = await client.search(query);
  for (;;) {
    found.push(...page.found);
    if (page.cursor === undefined) return found;
    page = await client.search("", { cursor: page.cursor });
  }
}

/** Nobody sees a text twice, and nobody sees one that its author did not say. */
function once(views: readonly View[]): string[] {
  return views.flatMap(({ person, lines, conversation }) => {
    const texts = lines.flatMap((line) => textOf(line) ?? []);
    const twice = texts.filter((text, at) => texts.indexOf(text) !== at);
    const wrong = lines.filter((line) => {
      const text = textOf(line);
      return text !== undefined && line.author?.username !== text.split(" ")[0];
    });
    return [
      ...twice.map((text) => `${person.name} sees "${text.slice(0, 40)}" twice in ${conversation.title}`),
      ...wrong.map(
        (line) => `${person.name} is shown ${line.author?.username ?? "nobody"} as the author of "${textOf(line)?.slice(0, 40)}"`,
      ),
    ];
  });
}

/** What two people both have they have in the same order; who was shown another log was told so, and stopped. */
function sameOrder(views: readonly View[], { mayLose }: { readonly mayLose: boolean }): string[] {
  const broken: string[] = [];
  for (const [at, one] of views.entries()) {
    for (const other of views.slice(at + 1)) {
      if (mayLose && [one, other].some(({ conversation }) => conversation.stop !== undefined)) continue;
      const [a, b] = [accepted(one), accepted(other)];
      const [mine, theirs] = [a.filter((text) => b.includes(text)), b.filter((text) => a.includes(text))];
      if (mine.join("\n") !== theirs.join("\n"))
        broken.push(`${one.person.name} and ${other.person.name} have ${one.conversation.title} in another order`);
    }
  }
  return broken;
}

/** Of a message that two people both have, both see the same: its words, who gave it what, what it answers, and whether it was deleted (spec X-5). */
function sameMessages(views: readonly View[], { mayLose }: { readonly mayLose: boolean }): string[] {
  const broken: string[] = [];
  const active = views.filter(({ conversation }) => conversation.status === "active" && conversation.stop === undefined);
  for (const [at, one] of active.entries()) {
    for (const other of active.slice(at + 1)) {
      // What somebody could not read may have been a change of it.
      if (mayLose && [one, other].some((view) => toldLost(view) > 0)) continue;
      const [mine, theirs] = [seenIn(one), seenIn(other)];
      for (const [id, seen] of mine) {
        const also = theirs.get(id);
        if (also !== undefined && also !== seen)
          broken.push(`${one.person.name} sees ${seen.slice(0, 200)} where ${other.person.name} sees ${also.slice(0, 200)}`);
      }
    }
  }
  return broken;
}

/** What the app was told last of a message is what is so: nothing older is told after something newer. */
function toldLast({ person, conversation, lines }: View): string[] {
  return lines.flatMap((line) => {
    const told = person.lastTold.get(`${conversation.id} ${line.id}`);
    const [last, now] = [told, line].map((one) => (one === undefined ? "" : shownOf(one)));
    return told === undefined || last === now ? [] : [`${person.name} was told last that it is ${last}, and it is ${now}`];
  });
}

function shownOf(line: Message): string {
  const reactions = (line.reactions ?? []).map(({ emoji, count }) => [emoji, count]);
  const { body, order, edited, delivery, quote } = line;
  return JSON.stringify([body.kind, textOf(line)?.slice(0, 60), order, edited?.count, reactions, delivery?.kind, quote?.text]);
}

/** What somebody sees of each message that stands in the log, by its id. */
function seenIn({ lines }: View): Map<string, string> {
  const said = lines.filter(({ body, delivery }) => (body.kind === "text" || body.kind === "deleted") && delivery?.kind !== "pending");
  return new Map(
    said.map((line) => {
      const reactions = (line.reactions ?? []).map(({ emoji, people }) => [emoji, people.map(({ username }) => username).toSorted()]);
      return [line.id, JSON.stringify([line.body.kind, textOf(line)?.slice(0, 60), line.edited?.count, reactions, line.forwardedHops])];
    }),
  );
}

/** Texts that stand in the log. */
function accepted({ lines }: View): string[] {
  return lines.flatMap((line) => (line.delivery === undefined || line.delivery.kind === "accepted" ? (textOf(line) ?? []) : []));
}

/** Members who were there the whole time between two texts that they have, have everything between them. */
function everything(views: readonly View[], { mayLose }: { readonly mayLose: boolean }): string[] {
  const broken: string[] = [];
  const active = views.filter(({ conversation }) => conversation.status === "active");
  for (const one of active) {
    for (const other of active) {
      if (one === other) continue;
      const since = lastArrival(one);
      const [a, b] = [accepted(one), accepted(other)];
      const common = b.filter((text) => a.includes(text));
      const [first] = common.filter((text) => placeOf(one, text) > since);
      if (first === undefined) continue;
      const missing = b.slice(b.indexOf(first)).filter((text) => !a.includes(text) && !hasAnotherVersion(one, lineOf(other, text)));
      // What was lost is told, one line for each or one with their number, or the conversation stands and says why.
      if (mayLose && (one.conversation.stop !== undefined || missing.length <= toldLost(one))) continue;
      for (const text of missing) {
        if (placeOf(other, text) > lastArrival(other))
          broken.push(`${one.person.name} lacks "${text.slice(0, 40)}" that ${other.person.name} has in ${one.conversation.title}`);
      }
    }
  }
  return broken;
}

/** How many entries this person was told that it cannot read. */
function toldLost({ lines }: View): number {
  return lines.reduce((sum, { body }) => sum + (body.kind === "unreadable" ? 1 : body.kind === "expired" ? body.count : 0), 0);
}

/** Place of the last line by which this person came into the conversation, or came back. */
function lastArrival({ person, lines }: View): number {
  const arrivals = lines.filter(
    ({ body }) => body.kind === "created" || (body.kind === "added" && body.people.some(({ username }) => username === person.name)),
  );
  return arrivals.at(-1)?.order ?? -1;
}

function placeOf(view: View, text: string): number {
  return lineOf(view, text)?.order ?? -1;
}

function lineOf({ lines }: View, text: string): Message | undefined {
  return lines.find((line) => textOf(line) === text);
}

/** Who lost an edit has the text of before: `sameMessages` says who may. */
function hasAnotherVersion({ lines }: View, of: Message | undefined): boolean {
  return lines.some(({ id, order }) => id === of?.id && order < pendingFrom);
}

/** A text that was acknowledged is in the conversation of every member who was there. */
function acknowledged(world: World, views: readonly View[]): string[] {
  const broken: string[] = [];
  for (const person of honest(world)) {
    for (const { text, messageId, conversationId } of person.said) {
      const own = views.find((view) => view.person === person && view.conversation.id === conversationId);
      const line = views
        .filter((view) => view.person === person)
        .flatMap(({ lines }) => lines)
        .find(({ id, body }) => id === messageId || (body.kind === "text" && body.text === text));
      if (line === undefined)
        broken.push(`${person.name} said "${text.slice(0, 40)}" and has it no more (${own?.conversation.status ?? "gone"})`);
    }
  }
  return broken;
}

/** Nobody waits for something without a reason that is told. */
async function stuck(views: readonly View[], { mayLose }: { readonly mayLose: boolean }): Promise<string[]> {
  const broken: string[] = [];
  for (const { person, conversation, lines } of views) {
    const alarms = await person.client.alarms();
    const told = alarms.some(({ conversationId }) => conversationId === conversation.id || conversationId === undefined);
    if (conversation.status === "pending") broken.push(`${person.name}'s ${conversation.title} is still pending`);
    if (conversation.status === "paused" && !(mayLose && told && conversation.stop !== undefined))
      broken.push(
        `${person.name}'s ${conversation.title} is paused${
          told
            ? ": " +
              lines
                .filter(({ body }) => body.kind === "alarm")
                .map(({ body }) => (body.kind === "alarm" ? body.reason : ""))
                .join(" / ")
            : ", and nothing says why"
        }`,
      );
    if (conversation.status !== "active") continue;
    const waiting = lines.filter(({ delivery }) => delivery?.kind === "pending");
    for (const line of waiting) {
      const hold = (await person.client.verification(conversation.id)).hold;
      if (hold === undefined && !told && conversation.stop === undefined)
        broken.push(`"${textOf(line)?.slice(0, 40)}" of ${person.name} waits in ${conversation.title}, and nothing says why`);
    }
    const unreadable = lines.flatMap(({ body }) => (body.kind === "unreadable" ? [body.reason] : []));
    if (unreadable.length > 0 && !mayLose)
      broken.push(`${person.name} cannot read ${unreadable.length} in ${conversation.title}: ${unreadable[0]}`);
  }
  return broken;
}
