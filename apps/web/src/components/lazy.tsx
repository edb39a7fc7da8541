import { useEffect, useState } from "react";
import type { ComponentType, ReactElement } from "react";
import { fetchWords, t } from "../messages/words.ts";
import type { LateWords } from "../messages/words.ts";
import { FailedPart } from "./FailedPart.tsx";

const firstPauseMs = 2000;
const longestPauseMs = 60_000;

const loaders: (() => Promise<unknown>)[] = [];

/** Fetches every component that can be shown, one after another: so that later, without a connection, all screens are there. */
export async function fetchAllComponents(): Promise<void> {
  for (const load of loaders) await load();
}

/**
 * A component that is fetched when it is first shown. Where that fails (no connection, or a newer version on the server) it says so
 * and tries again by itself and when asked, instead of taking the rest of the page with it.
 * @param words what it says that is not in the app's first words
 */
export function lazyComponent<P extends object>(loadAlone: () => Promise<ComponentType<P>>, words?: LateWords): ComponentType<P> {
  const load = async (): Promise<ComponentType<P>> =>
    words === undefined ? await loadAlone() : (await Promise.all([loadAlone(), fetchWords(words)]))[0];
  let loaded: ComponentType<P> | undefined;
  loaders.push(load);
  return function Lazy(props: P): ReactElement | undefined {
    const [Component, setComponent] = useState<ComponentType<P> | undefined>(() => loaded);
    const [round, setRound] = useState(0);
    const [hasFailed, setHasFailed] = useState(false);
    useEffect(() => {
      if (loaded !== undefined) {
        setComponent(() => loaded);
        return undefined;
      }
      let isGone = false;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const again = (): void => setRound((before) => before + 1);
      load().then(
        (module) => {
          loaded = module;
          if (!isGone) setComponent(() => module);
        },
        () => {
          if (isGone) return;
          setHasFailed(true);
          // It comes by itself once the server is back, seldomer and seldomer; at once when the network is.
          timer = setTimeout(again, Math.min(longestPauseMs, firstPauseMs * 2 ** round));
        },
      );
      globalThis.addEventListener("online", again);
      return () => {
        isGone = true;
        clearTimeout(timer);
        globalThis.removeEventListener("online", again);
      };
    }, [round]);
    if (Component !== undefined) return <Component {...props} />;
    if (!hasFailed) return undefined;
    return <FailedPart text={t("notLoaded")} tryAgain={() => setRound((before) => before + 1)} />;
  };
}
