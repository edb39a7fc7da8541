import type { ReactElement, ReactNode } from "react";
import type { Person } from "@latchkey/client";
import { Avatar } from "./Avatar.tsx";

/** A person in a list: the avatar, the name, and below it the address or what else says who it is. */
export function PersonLabel({ person, children }: { readonly person: Person; readonly children?: ReactNode }): ReactElement {
  return (
    <>
      <Avatar id={person.accountId} name={person.displayName} />
      <span className="person-text">
        <bdi className="person-name">{person.displayName}</bdi>
        {children ?? <bdi className="person-address">{person.address}</bdi>}
      </span>
    </>
  );
}
