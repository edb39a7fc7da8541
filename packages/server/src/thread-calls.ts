import type { Worker } from "node:worker_threads";

interface Waiter<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** Questions to a thread that answers each by its number: started with the first question, and again when it ended. No process stays for it. */
export class ThreadCalls<Question extends object, Answer extends { readonly id: number }> {
  readonly #waiting = new Map<number, Waiter<Answer>>();
  readonly #startThread: () => Worker;
  readonly #name: string;
  #worker: Worker | undefined;
  #lastId = 0;

  /** @param startThread calls `startThread`; the thread answers messages `{ id, ... }` with one of the same id */
  constructor(name: string, startThread: () => Worker) {
    this.#name = name;
    this.#startThread = startThread;
  }

  ask(question: Question): Promise<Answer> {
    const worker = (this.#worker ??= this.#start());
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      // While it works the process stays.
      worker.ref();
      worker.postMessage({ ...question, id }, []);
    });
  }

  #start(): Worker {
    const worker = this.#startThread();
    worker.on("message", (answer: Answer) => {
      this.#waiting.get(answer.id)?.resolve(answer);
      this.#waiting.delete(answer.id);
      if (this.#waiting.size === 0) worker.unref();
    });
    const stopped = (error: unknown): void => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      const cause = error instanceof Error ? error : new Error(`the ${this.#name} thread ended`);
      for (const { reject } of this.#waiting.values()) reject(cause);
      this.#waiting.clear();
    };
    worker.on("error", stopped);
    worker.on("exit", stopped);
    return worker;
  }
}
