import { useCallback, useEffect, useState } from "react";
import type { AttachedFile, FileState } from "@latchkey/client";
import { fileKey } from "../state/app-state.ts";
import { useApp, useSelector } from "../state/context.ts";
import type { Controller } from "../state/controller.ts";
import { fetchesUpTo } from "./choices.ts";
import { FileSource, ShowError } from "./file-source.ts";
import type { ShowFailure } from "./file-source.ts";
import type { FileHolder } from "./holder.ts";

const sources = new WeakMap<Controller["client"], FileSource>();

/** Where files of this app's account are shown from. */
export function fileSourceOf(controller: Controller): FileSource {
  const { client } = controller;
  const known = sources.get(client);
  if (known !== undefined) return known;
  const source = new FileSource(client);
  sources.set(client, source);
  controller.listen((event) => {
    if (event.kind === "files_gone") source.gone(event.fileIds);
  });
  return source;
}

/** Where files of this app's account are shown from. */
export function useFileSource(): FileSource {
  return fileSourceOf(useApp().controller);
}

const here: FileState = { kind: "here" };

/** Where a file is; `undefined` until that is known. */
export function useFileState(message: FileHolder, file: AttachedFile): FileState | undefined {
  const { controller } = useApp();
  const key = fileKey(message.id, file.id);
  const state = useSelector(({ files }) => files.get(key));
  const isImported = message.imported !== undefined;
  const isSettled = message.delivery === undefined || message.delivery.kind === "accepted";
  useEffect(() => {
    if (isImported) return undefined;
    let isGone = false;
    controller.client.fileState(message.conversationId, message.id, file.id).then(
      (found) => {
        if (!isGone) controller.store.update((before) => ({ ...before, files: new Map([...before.files, [key, found]]) }));
      },
      () => undefined,
    );
    return () => {
      isGone = true;
    };
    // What waited may have another id once it is in the log.
  }, [controller, file.id, isImported, isSettled, key, message.conversationId, message.id]);
  return isImported ? here : state;
}

/** Whether a file is shown without being asked for: it is here already, or not larger than the person wants. */
export function comesByItself(file: AttachedFile, state: FileState | undefined): boolean {
  return state?.kind === "here" || state?.kind === "sending" || file.sizeBytes <= fetchesUpTo();
}

/** An address that a file is shown from, once it is wanted. */
export interface ShownAddress {
  readonly address: string | undefined;
  readonly failure: ShowFailure | undefined;
  /** The browser could not show what came from there. */
  readonly onError: () => void;
  readonly again: () => void;
}

/** Where a file is shown from, as soon as it is wanted. */
export function useAddress(message: FileHolder, file: AttachedFile, isWanted: boolean): ShownAddress {
  const source = useFileSource();
  const [address, setAddress] = useState<string>();
  const [failure, setFailure] = useState<ShowFailure>();
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (!isWanted) return undefined;
    let isGone = false;
    source.address({ message, file }, { isAgain: round > 0 }).then(
      (found) => {
        if (!isGone) setAddress(round === 0 || found.startsWith("blob:") ? found : `${found}?${String(round)}`);
      },
      (error: unknown) => {
        if (!isGone) setFailure(error instanceof ShowError ? error.why : "failed");
      },
    );
    return () => {
      isGone = true;
    };
    // A message that changed has the same files.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [source, message.id, file.id, isWanted, round]);
  const onError = useCallback(() => {
    if (address === undefined) return;
    void source.why(address).then((why) => {
      setFailure(why);
      setAddress(undefined);
    });
  }, [address, source]);
  const again = useCallback(() => {
    setFailure(undefined);
    setRound((before) => before + 1);
  }, []);
  return { address, failure, onError, again };
}
