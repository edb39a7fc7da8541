import { useCallback, useEffect, useRef, useState } from "react";
import type { Person } from "@latchkey/client";
import { failureOf } from "../worker/protocol.ts";
import { useApp } from "./context.ts";
import { addAddresses, commitText, noRecipients, removeAddress, settleAddress, splitAddresses, typeText } from "./recipients.ts";
import type { Recipient, Recipients } from "./recipients.ts";

const typingPauseMs = 350;
const shortest = 3;

/** The field "To": its chips and text, looked up while being typed. */
export interface RecipientsField {
  readonly state: Recipients;
  /** Who the text that is being typed would be. */
  readonly typed: Recipient["status"] | undefined;
  type(text: string): void;
  /** The text becomes a chip. */
  commit(): void;
  add(person: Person): void;
  /** The name belonged to another account; the person asked, and means the account that has it now. */
  acceptName(address: string): Promise<void>;
  remove(address: string): void;
  /** Takes the last chip back into the text. */
  editLast(): void;
  /** Commits, waits for all look-ups, and returns the chips as they came out. */
  settle(): Promise<Recipients>;
}

/** Creates the field, with what an invitation link may bring. */
export function useRecipients(initial = ""): RecipientsField {
  const { controller } = useApp();
  const [state, setState] = useState<Recipients>(() => addAddresses(noRecipients, splitAddresses(initial)));
  const [typed, setTyped] = useState<{ address: string; status: Recipient["status"] }>();
  const lookups = useRef(new Map<string, Promise<Recipient["status"]>>());
  const latest = useRef(state);
  latest.current = state;

  const lookUp = useCallback(
    (address: string): Promise<Recipient["status"]> => {
      const known = lookups.current.get(address);
      if (known !== undefined) return known;
      const lookup = controller.client.resolve(address).then(
        (person): Recipient["status"] => ({ kind: "found", person }),
        (error: unknown): Recipient["status"] => {
          // A failure is asked again the next time.
          lookups.current.delete(address);
          return { kind: "failed", failure: failureOf(error) };
        },
      );
      lookups.current.set(address, lookup);
      return lookup;
    },
    [controller],
  );

  const waiting = state.chips.filter((chip) => chip.status.kind === "resolving").map((chip) => chip.address);
  const waitingKey = waiting.join(" ");
  useEffect(() => {
    let isGone = false;
    for (const address of waitingKey.split(" ")) {
      if (address !== "") void lookUp(address).then((status) => isGone || setState((now) => settleAddress(now, address, status)));
    }
    return () => {
      isGone = true;
    };
  }, [lookUp, waitingKey]);

  const [text = ""] = splitAddresses(state.text);
  useEffect(() => {
    setTyped(undefined);
    if (text.length < shortest) return undefined;
    let isGone = false;
    const timer = setTimeout(() => {
      setTyped({ address: text, status: { kind: "resolving" } });
      void lookUp(text).then((status) => isGone || setTyped({ address: text, status }));
    }, typingPauseMs);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [lookUp, text]);

  return {
    state,
    typed: typed?.address === text ? typed.status : undefined,
    type: (next) => setState((now) => typeText(now, next)),
    commit: () => setState(commitText),
    add: (person) => {
      lookups.current.set(person.address, Promise.resolve({ kind: "found", person }));
      setState((now) => settleAddress(addAddresses({ ...now, text: "" }, [person.address]), person.address, { kind: "found", person }));
    },
    async acceptName(address) {
      const status = await controller.client.acceptName(address).then(
        (person): Recipient["status"] => ({ kind: "found", person }),
        (error: unknown): Recipient["status"] => ({ kind: "failed", failure: failureOf(error) }),
      );
      if (status.kind === "found") lookups.current.set(address, Promise.resolve(status));
      setState((now) => settleAddress(now, address, status));
    },
    remove: (address) => setState((now) => removeAddress(now, address)),
    editLast: () =>
      setState((now) => {
        const last = now.chips.at(-1);
        return last === undefined ? now : { ...removeAddress(now, last.address), text: last.address };
      }),
    async settle() {
      let next = commitText(latest.current);
      for (const chip of next.chips) {
        if (chip.status.kind !== "found") next = settleAddress(next, chip.address, await lookUp(chip.address));
      }
      setState(next);
      return next;
    },
  };
}
