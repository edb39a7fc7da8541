import { useId, useState } from "react";
import type { FormEvent, ReactElement } from "react";
import type { ConversationDetails, GroupRights, GroupSettingsChange, RightHolder } from "@latchkey/client";
import { maxDescriptionBytes, maxGroupNameBytes } from "@latchkey/client/limits";
import { groupWords } from "../messages/group-words.ts";
import { words } from "../messages/words.ts";
import { useAction, useApp, useBusyAction } from "../state/context.ts";
import { titleOf } from "../state/own.ts";
import { Modal } from "./Dialog.tsx";

/** How a group is run: its description, how fast one may write, who may do what. */
export function GroupSettings({ details }: { readonly details: ConversationDetails }): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const id = useId();
  const [open, setOpen] = useState<"info" | "rights">();
  const { may, slowModeS, description, rights, conversation } = details;
  const texts = groupWords.settings;
  const close = (isChanged: boolean): void => {
    setOpen(undefined);
    if (isChanged) void controller.loadDetails(conversation.id).catch(() => undefined);
  };
  const change = async (settings: GroupSettingsChange): Promise<void> => {
    await act(() => controller.client.changeSettings(conversation.id, settings));
    await controller.loadDetails(conversation.id).catch(() => undefined);
  };
  const isUsual = texts.slowModes.some(([seconds]) => seconds === slowModeS);
  return (
    <section aria-labelledby={`${id}heading`} className="details-section">
      <h2 id={`${id}heading`} className="section-heading">
        {texts.heading}
      </h2>
      <p className="group-description" dir="auto">
        {description === "" ? <span className="details-note">{texts.noDescription}</span> : description}
      </p>
      {may.editInfo && (
        <button type="button" className="button button-wide" onClick={() => setOpen("info")}>
          {texts.edit}
        </button>
      )}
      <div className="field">
        <label htmlFor={`${id}slow`}>{texts.slowMode}</label>
        <select
          id={`${id}slow`}
          className="input"
          aria-describedby={`${id}slowhint`}
          value={slowModeS}
          disabled={!may.slowMode}
          onChange={(event) => void change({ slowModeS: Number(event.target.value) })}
        >
          {!isUsual && <option value={slowModeS}>{texts.other(slowModeS)}</option>}
          {texts.slowModes.map(([seconds, label]) => (
            <option key={seconds} value={seconds}>
              {label}
            </option>
          ))}
        </select>
        <p id={`${id}slowhint`} className="setting-hint">
          {texts.slowModeHint}
        </p>
      </div>
      {rights !== undefined && (
        <div className="field">
          <label htmlFor={`${id}history`}>{texts.history}</label>
          <select
            id={`${id}history`}
            className="input"
            aria-describedby={`${id}historyhint`}
            value={rights.history}
            disabled={!may.own}
            onChange={(event) => {
              const chosen = texts.histories.find(([policy]) => policy === event.target.value);
              if (chosen !== undefined) void change({ rights: { history: chosen[0] } });
            }}
          >
            {texts.histories.map(([policy, label]) => (
              <option key={policy} value={policy}>
                {label}
              </option>
            ))}
          </select>
          <p id={`${id}historyhint`} className="setting-hint">
            {texts.historyHint}
          </p>
        </div>
      )}
      {rights !== undefined && (
        <button type="button" className="button button-wide" onClick={() => setOpen("rights")}>
          {texts.rights}
        </button>
      )}
      {open === "info" && <InfoDialog details={details} close={close} />}
      {open === "rights" && rights !== undefined && <RightsDialog details={details} rights={rights} close={close} />}
    </section>
  );
}

function InfoDialog({
  details,
  close,
}: {
  readonly details: ConversationDetails;
  readonly close: (isChanged: boolean) => void;
}): ReactElement {
  const { controller } = useApp();
  const [isBusy, act] = useBusyAction();
  const { conversation } = details;
  const [name, setName] = useState(() => titleOf(conversation));
  const [description, setDescription] = useState(details.description);
  const id = useId();
  const texts = groupWords.settings;
  const over = { name: bytesOver(name.trim(), maxGroupNameBytes), description: bytesOver(description.trim(), maxDescriptionBytes) };
  const isChanged = name.trim() !== titleOf(conversation) || description.trim() !== details.description;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const change = {
      ...(name.trim() === titleOf(conversation) ? {} : { name: name.trim() }),
      ...(description.trim() === details.description ? {} : { description: description.trim() }),
    };
    void act(() => controller.client.changeSettings(conversation.id, change)).then((isDone) => isDone && close(true));
  };
  return (
    <Modal title={texts.edit} close={() => close(false)}>
      <form className="group-form" onSubmit={submit}>
        <div className="field">
          <label htmlFor={`${id}name`}>{texts.name}</label>
          <input
            id={`${id}name`}
            className="input"
            dir="auto"
            autoComplete="off"
            value={name}
            aria-invalid={over.name > 0}
            aria-describedby={`${id}nameover`}
            onChange={(event) => setName(event.target.value)}
          />
          <p id={`${id}nameover`} className="field-error">
            {over.name > 0 && texts.nameLong(over.name)}
          </p>
        </div>
        <div className="field">
          <label htmlFor={`${id}description`}>{texts.description}</label>
          <textarea
            id={`${id}description`}
            className="input"
            rows={4}
            dir="auto"
            value={description}
            aria-invalid={over.description > 0}
            aria-describedby={`${id}descriptionover`}
            onChange={(event) => setDescription(event.target.value)}
          />
          <p id={`${id}descriptionover`} className="field-error">
            {over.description > 0 && texts.nameLong(over.description)}
          </p>
        </div>
        <div className="dialog-actions">
          <button type="button" className="button" onClick={() => close(false)}>
            {words.common.cancel}
          </button>
          <button
            type="submit"
            className="button button-primary"
            disabled={isBusy || !isChanged || name.trim() === "" || over.name > 0 || over.description > 0}
          >
            {texts.save}
          </button>
        </div>
      </form>
    </Modal>
  );
}

type RightName = keyof typeof groupWords.settings.right;

function RightsDialog({
  details,
  rights,
  close,
}: {
  readonly details: ConversationDetails;
  readonly rights: GroupRights;
  readonly close: (isChanged: boolean) => void;
}): ReactElement {
  const { controller } = useApp();
  const [isBusy, act] = useBusyAction();
  const [changed, setChanged] = useState<Partial<Record<RightName, RightHolder>>>({});
  const id = useId();
  const texts = groupWords.settings;
  const isOwner = details.may.own;
  // The keys of the words are rights.
  const names = Object.keys(texts.right) as RightName[];
  const save = async (): Promise<void> => {
    await controller.client.changeSettings(details.conversation.id, { rights: changed as Partial<GroupRights> });
  };
  const isChanged = names.some((name) => changed[name] !== undefined && changed[name] !== rights[name]);
  return (
    <Modal title={texts.rights} close={() => close(false)}>
      <p className="dialog-body">{texts.rightsHint}</p>
      <div className="group-rights">
        {names.map((name) => (
          <div key={name} className="group-right">
            <label htmlFor={`${id}${name}`}>{texts.right[name]}</label>
            <select
              id={`${id}${name}`}
              className="input"
              value={changed[name] ?? rights[name]}
              disabled={!isOwner}
              onChange={(event) => setChanged({ ...changed, [name]: event.target.value })}
            >
              {(Object.keys(texts.holder) as RightHolder[])
                .filter((holder) => name !== "remove" || holder !== "everyone")
                .map((holder) => (
                  <option key={holder} value={holder}>
                    {texts.holder[holder]}
                  </option>
                ))}
            </select>
          </div>
        ))}
      </div>
      <div className="dialog-actions">
        <button type="button" className="button" onClick={() => close(false)}>
          {isOwner ? words.common.cancel : words.common.close}
        </button>
        {isOwner && (
          <button
            type="button"
            className="button button-primary"
            disabled={isBusy || !isChanged}
            onClick={() => void act(save).then((isDone) => isDone && close(true))}
          >
            {texts.save}
          </button>
        )}
      </div>
    </Modal>
  );
}

function bytesOver(text: string, limit: number): number {
  return Math.max(0, new TextEncoder().encode(text).length - limit);
}
