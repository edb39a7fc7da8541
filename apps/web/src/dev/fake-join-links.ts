import type { ClientEvent, JoinLink, JoinLinkCalls, OwnKnock, Person, WaitingPerson } from "@latchkey/client";

const dayMs = 86_400_000;

/** Links of groups, and a person who waits at one. */
export function createFakeJoinLinks(params: {
  readonly people: Readonly<Record<string, Person>>;
  readonly later: () => Promise<void>;
  readonly emit: (event: ClientEvent) => void;
}): JoinLinkCalls {
  const { people, later, emit } = params;
  let links: readonly JoinLink[] = [];
  let waiting: readonly WaitingPerson[] = [];
  let knocks: readonly OwnKnock[] = [];
  const [me, other] = Object.values(people);
  const changed = (conversationId: string): void => emit({ kind: "join_links", conversationId });
  const answer = async (id: string, accountId: string): Promise<void> => {
    await later();
    waiting = waiting.filter(({ person }) => person.accountId !== accountId);
    changed(id);
  };
  return {
    async createJoinLink(id, { days = 7, uses = 50 } = {}) {
      await later();
      if (me === undefined || other === undefined) throw new Error("nobody is there");
      const linkId = `link-${String(links.length)}`;
      const url = `https://chat.example.org/join#v1.${"A".repeat(200)}`;
      const link = { linkId, url, madeBy: me, expiresAtMs: Date.now() + days * dayMs, maxUses: uses, uses: 0 };
      links = [...links, link];
      waiting = [{ person: other, linkId, seenAtMs: Date.now(), refusals: 0 }];
      changed(id);
      return link;
    },
    joinLinks: async () => links,
    async revokeJoinLink(id, linkId) {
      await later();
      links = links.filter((link) => link.linkId !== linkId);
      waiting = waiting.filter((one) => one.linkId !== linkId);
      changed(id);
    },
    waitingRoom: async () => waiting,
    admit: answer,
    refuse: answer,
    readJoinLink: async () => ({ host: "chat.example.org", name: "Book club" }),
    async knock() {
      await later();
      const nowMs = Date.now();
      const knock = { linkId: "link", host: "chat.example.org", name: "Book club", sentAtMs: nowMs, expiresAtMs: nowMs + 25 * dayMs };
      knocks = [knock];
      emit({ kind: "knocks" });
      return knock;
    },
    knocks: async () => knocks,
    async withdrawKnock(linkId) {
      await later();
      knocks = knocks.filter((knock) => knock.linkId !== linkId);
      emit({ kind: "knocks" });
    },
  };
}
