import "../styles/menu.css";
import { useEffect, useId, useMemo, useState } from "react";
import type { ReactElement } from "react";
import { forgetShared, takeShared } from "../app-worker/shared.ts";
import { Avatar } from "../components/Avatar.tsx";
import { PageHeader } from "../components/PageHeader.tsx";
import { t } from "../messages/words.ts";
import type { SharedItems } from "../service-worker/messages.ts";
import { sortConversations } from "../state/app-state.ts";
import { useApp, useBusyAction, useSelector } from "../state/context.ts";
import { namesWith } from "../state/name-search.ts";
import { titleOf } from "../state/own.ts";

const shownCharacters = 300;

/** To whom something goes that another app shared: it is put where the person writes, and sent by nobody but them. */
export function SharePage({ token }: { readonly token: string }): ReactElement {
  const { controller, router } = useApp();
  const [isBusy, act] = useBusyAction();
  const [items, setItems] = useState<SharedItems | "gone">();
  const [asked, setAsked] = useState("");
  const id = useId();
  const conversations = useSelector((state) => state.conversations);
  useEffect(() => {
    void takeShared(token).then((found) => setItems(found ?? "gone"));
  }, [token]);
  const found = useMemo(() => {
    const isCalled = namesWith(asked);
    return sortConversations(conversations).filter((one) => one.status === "active" && !one.isBlocked && isCalled(titleOf(one)));
  }, [asked, conversations]);
  const leave = (): void => {
    forgetShared();
    router.go({ kind: "home" }, { replace: true });
  };
  const choose = async (conversationId: string, { text, files }: SharedItems): Promise<void> => {
    if (files.length > 0) {
      const { attach } = await import("../attach/attach.ts");
      attach(controller, conversationId, { files, hasFolder: false });
    }
    const before = controller.draft(conversationId);
    if (text !== "") controller.setDraft(conversationId, before === "" ? text : `${before}\n${text}`);
    forgetShared();
    router.go({ kind: "conversation", id: conversationId, details: false }, { replace: true });
  };
  return (
    <main className="page">
      <PageHeader heading={t("app.share")} takesFocus />
      <div className="page-body">
        {items === "gone" && (
          <section className="section">
            <p role="alert">{t("app.shareGone")}</p>
            <button type="button" className="button" onClick={leave}>
              {t("common.back")}
            </button>
          </section>
        )}
        {items !== undefined && items !== "gone" && (
          <>
            <section aria-label={t("app.shared")} className="shared-items">
              {items.text !== "" && (
                <p>
                  <bdi>{items.text.length > shownCharacters ? `${items.text.slice(0, shownCharacters)}…` : items.text}</bdi>
                </p>
              )}
              {items.files.length > 0 && <p className="section-hint">{t("app.sharedFiles", { n: items.files.length })}</p>}
            </section>
            <label htmlFor={id} className="visually-hidden">
              {t("list.search")}
            </label>
            <input
              id={id}
              type="search"
              className="input forward-search"
              placeholder={t("list.search")}
              value={asked}
              onChange={(event) => setAsked(event.target.value)}
            />
            {/* A list without markers is no list to some screen readers unless told. */}
            {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles */}
            <ul role="list" className="forward-list">
              {found.map((one) => (
                <li key={one.id}>
                  <button
                    type="button"
                    className="forward-row forward-choice"
                    disabled={isBusy}
                    onClick={() => void act(() => choose(one.id, items))}
                  >
                    <Avatar id={one.peer?.accountId ?? one.id} name={titleOf(one)} size="small" isGroup={one.kind === "group"} />
                    <bdi>{titleOf(one)}</bdi>
                  </button>
                </li>
              ))}
            </ul>
            {found.length === 0 && <p className="section-hint">{t("app.shareNobody")}</p>}
            <button type="button" className="button" onClick={leave}>
              {t("common.cancel")}
            </button>
          </>
        )}
      </div>
    </main>
  );
}
