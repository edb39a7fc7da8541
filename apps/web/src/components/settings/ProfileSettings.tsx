import "../../styles/account.css";
import { cleanName } from "@latchkey/client/own";
import { useId, useState } from "react";
import type { ReactElement } from "react";
import { t } from "../../messages/words.ts";
import { useApp, useBusyAction, useSelector } from "../../state/context.ts";
import { formatDate } from "../../state/format.ts";
import { Avatar } from "../Avatar.tsx";
import { nameShown } from "../name-shown.ts";
import { OwnLink } from "../OwnLink.tsx";
import { PictureControls } from "../PictureControls.tsx";
import { Section } from "./Section.tsx";

/** Who one is to others: the name that they see, the address, and the link that is given to people. */
export function ProfileSettings(): ReactElement | undefined {
  const { client } = useApp().controller;
  const account = useSelector((state) => state.account);
  if (account === undefined) return undefined;
  const address = `${account.username}@${account.host}`;
  return (
    <>
      <section className="section">
        <div className="account">
          <Avatar id={account.accountId} name={account.displayName} size="large" />
          <div className="account-text">
            <bdi className="account-name">{account.displayName}</bdi>
            <bdi className="account-address">{address}</bdi>
            <span className="account-since">
              {t("settings.since")} {formatDate(account.createdAtMs)}
            </span>
          </div>
        </div>
        <PictureControls id={account.accountId} set={(picture) => client.setPicture(picture)} />
        <p className="section-hint">{t("picture.hint")}</p>
        <NameForm key={account.displayName} displayName={account.displayName} username={account.username} />
      </section>
      <Section heading={t("settings.link")}>
        <OwnLink showsCode={false} />
        <p className="section-hint">{t("settings.linkHint")}</p>
      </Section>
    </>
  );
}

/** Longest text that is taken in; what is shown of it is shorter, and is said. */
const maxTyped = 500;

function NameForm({ displayName, username }: { readonly displayName: string; readonly username: string }): ReactElement {
  const { controller, notify } = useApp();
  const [isBusy, act] = useBusyAction();
  const id = useId();
  const [typed, setTyped] = useState(displayName);
  const shown = cleanName(typed);
  const isNone = shown === "";
  // Without a name of their own, people go by the username.
  const isChanged = shown !== displayName && typed.trim() !== displayName;
  const save = async (): Promise<void> => {
    if (isNone || !isChanged) return;
    if (await act(() => controller.client.changeProfile({ displayName: shown }))) notify(t("profile.saved"));
  };
  return (
    <form
      className="profile-name"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <div className="field">
        <label htmlFor={id}>{t("profile.name")}</label>
        <input
          id={id}
          className="input"
          dir="auto"
          autoComplete="off"
          maxLength={maxTyped}
          value={typed}
          aria-describedby={`${id}live ${id}hint`}
          aria-invalid={isNone}
          onChange={(event) => setTyped(event.target.value)}
          onBlur={() => typed.trim() === "" && setTyped(displayName)}
        />
        <p id={`${id}live`} role="status" className="field-hint">
          {isNone ? t("profile.none", { username }) : nameShown(typed)}
        </p>
        <p id={`${id}hint`} className="section-hint">
          {t("profile.hint")}
        </p>
      </div>
      <button type="submit" className="button button-primary" disabled={isBusy || isNone || !isChanged}>
        {t("profile.save")}
      </button>
    </form>
  );
}
