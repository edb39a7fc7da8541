import type { Controller } from "../state/controller.ts";

/** One line asks the person whether they want notifications; what is said of a newer build comes before it. */
export function beginAsking({ store }: Pick<Controller, "store">): void {
  store.update((state) => (state.update === undefined ? { ...state, update: "notices" } : state));
}

/** The person has said, or what is said of a newer build takes its place. */
export function endAsking({ store }: Pick<Controller, "store">): void {
  store.update((state) => (state.update === "notices" ? { ...state, update: undefined } : state));
}
