import "../styles/person.css";
import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { AboutPerson, ClientFailure, Person } from "@latchkey/client";
import { failureWords, t } from "../messages/words.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { staysHere } from "../state/link-press.ts";
import { titleOf } from "../state/own.ts";
import { nameOf } from "../state/person-name.ts";
import { recordSentence } from "../state/record-sentence.ts";
import { formatRoute } from "../state/router.ts";
import { useNow } from "../state/use-now.ts";
import { failureOf } from "../worker/protocol.ts";
import { Avatar } from "./Avatar.tsx";
import { ConfirmDialog, Modal } from "./Dialog.tsx";
import { Icon } from "./Icon.tsx";
import { SafetyNumberDialog } from "./SafetyNumberDialog.tsx";

/** Who somebody is: their names, what is known of their keys, and what one can do. */
export function PersonCard({ person }: { readonly person: Person }): ReactElement {
  const { controller, router } = useApp();
  const act = useAction();
  const { accountId, address } = person;
  const direct = useSelector((state) =>
    [...state.conversations.values()].find(
      ({ kind, peer, status, continuedIn }) =>
        kind === "direct" && peer?.accountId === accountId && status !== "removed" && continuedIn === undefined,
    ),
  );
  // Blocking is told so, here and on other devices; marks by what is verified.
  const requests = useSelector((state) => state.requests);
  const verifications = useSelector((state) => state.verifications);
  const [about, setAbout] = useState<AboutPerson>();
  const [failure, setFailure] = useState<ClientFailure>();
  const [question, setQuestion] = useState<"compare" | "block">();
  const close = (): void => controller.showPerson(undefined);
  useEffect(() => {
    let isGone = false;
    controller.client
      .aboutPerson(accountId)
      .then((found) => isGone || setAbout(found))
      .catch((error: unknown) => isGone || setFailure(failureOf(error)));
    return () => {
      isGone = true;
    };
  }, [accountId, controller, question, requests, verifications]);
  const write = (): void => {
    close();
    router.go(direct === undefined ? { kind: "new", to: `${address},` } : { kind: "conversation", id: direct.id, details: false });
  };
  const { client } = controller;
  const shown = about?.person ?? person;
  const isBlocked = about?.isBlocked ?? false;
  return (
    <Modal title={shown.displayName} close={close}>
      <div className="person-card">
        <Avatar id={accountId} name={shown.displayName} size="large" />
        <bdi className="person-card-address">
          {shown.username}@{shown.host}
        </bdi>
        {shown.besideName !== undefined && <p className="section-hint">{t("person.beside")}</p>}
      </div>
      {failure !== undefined && about === undefined && <p className="section-hint">{failureWords(failure).title}</p>}
      {about !== undefined && <Keys about={about} />}
      <div className="person-card-ways">
        <button type="button" className="button button-primary" onClick={write} disabled={isBlocked}>
          <Icon name="compose" size={18} />
          {t("person.write")}
        </button>
        <button type="button" className="button" onClick={() => setQuestion("compare")} disabled={about === undefined}>
          <Icon name="shield" size={18} />
          {about?.mark === "verified" ? t("verification.safetyNumber") : t("person.verify")}
        </button>
        {isBlocked ? (
          <button type="button" className="button" onClick={() => void act(() => client.unblock(accountId))}>
            {t("person.unblock")}
          </button>
        ) : (
          <button type="button" className="button button-danger-quiet" onClick={() => setQuestion("block")} disabled={about === undefined}>
            {t("person.block")}
          </button>
        )}
      </div>
      <Groups ids={about?.groups ?? []} close={close} />
      {question === "compare" && about !== undefined && (
        <SafetyNumberDialog person={shown} mark={about.mark} close={() => setQuestion(undefined)} />
      )}
      {question === "block" && (
        <ConfirmDialog
          title={t("requests.blockTitle", { who: nameOf(shown) })}
          body={t("requests.blockBody")}
          confirmLabel={t("person.block")}
          confirm={() => act(() => client.block(accountId))}
          close={() => setQuestion(undefined)}
        />
      )}
    </Modal>
  );
}

/** What is known of their keys, in plain words; what needs the person first. */
function Keys({ about }: { readonly about: AboutPerson }): ReactElement {
  const nowMs = useNow();
  const { person, record, mark, falseWord } = about;
  const name = nameOf(person);
  return (
    <div className="person-card-keys">
      {mark === "verified" && (
        <p className="person-card-verified">
          <Icon name="shield" size={18} />
          <span>{t("person.verified", { person: name })}</span>
        </p>
      )}
      {mark === "changed" && <p className="verification-changed">{t("verification.changedBody", { person: name })}</p>}
      {falseWord !== undefined && <p className="verification-changed">{t(`verification.falseWord.${falseWord}`, { person: name })}</p>}
      <p className={`verification-summary verification-${record.status}`}>
        <Icon name={record.status === "checked" ? "check" : "info"} size={18} />
        <span>{recordSentence(record, nowMs, person)}</span>
      </p>
      <p className="section-hint">{t("person.devices", { n: about.deviceCount })}</p>
    </div>
  );
}

function Groups({ ids, close }: { readonly ids: readonly string[]; readonly close: () => void }): ReactElement | undefined {
  const { router } = useApp();
  const conversations = useSelector((state) => state.conversations);
  const groups = ids.flatMap((id) => conversations.get(id) ?? []);
  if (groups.length === 0) return undefined;
  return (
    <>
      <h3 id="groups-in-common" className="section-heading">
        {t("person.groups")}
      </h3>
      {/* A list without markers is no list to some screen readers unless told. */}
      {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles */}
      <ul role="list" className="people person-card-groups" aria-labelledby="groups-in-common">
        {groups.map((group) => {
          const route = { kind: "conversation", id: group.id, details: false } as const;
          return (
            <li key={group.id} className="person">
              <Avatar id={group.id} name={titleOf(group)} size="small" isGroup />
              <a
                className="person-name"
                href={formatRoute(route)}
                onClick={(event) => {
                  if (!staysHere(event)) return;
                  close();
                  router.go(route);
                }}
              >
                <bdi>{titleOf(group)}</bdi>
              </a>
            </li>
          );
        })}
      </ul>
    </>
  );
}
