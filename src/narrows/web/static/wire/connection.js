/**
 * The connection to the server: questions out, answers back. When it breaks, questions wait, and are asked again once
 * it is mended.
 */
import { unpack } from './frames.js';

/**
 * Who answers a page: the server, or the page itself where there is none.
 * @typedef {object} Answering
 * @property {<T>(question: string, given?: Record<string, unknown>) => Promise<T>} ask
 * @property {(model: string, image: Blob) => Promise<Prepared>} prepare make an image an input of that model
 */
/** @typedef {{ levels: import('./frames.js').Levels, refused?: string }} Prepared */
/** @typedef {{ text: string, answered: (answer: any) => void, refused: (error: Error) => void }} Pending */

const FIRST_WAIT = 500;
const LONGEST_WAIT = 5000;

export class Connection {
  /**
   * @param {string} address of the server
   * @param {(open: boolean, again: () => void) => void} changed called when it opens, and when it breaks
   * @param {(address: string) => WebSocket} [connect]
   */
  constructor(address, changed, connect = (to) => new WebSocket(to)) {
    this.address = address;
    this.changed = changed;
    this.connect = connect;
    this.wait = FIRST_WAIT;
    this.number = 0;
    /** @type {Map<number, Pending>} */
    this.pending = new Map();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.open();
  }

  /** Connect, now. */
  open() {
    clearTimeout(this.timer);
    const socket = this.connect(`${this.address}/live`);
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      this.wait = FIRST_WAIT;
      this.changed(true, () => this.open());
      for (const { text } of this.pending.values()) socket.send(text);
    };
    socket.onmessage = ({ data }) => this.receive(unpack(data));
    socket.onclose = () => {
      if (socket !== this.socket) return;
      this.changed(false, () => this.open());
      this.timer = setTimeout(() => this.open(), this.wait);
      this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
    };
  }

  /** @param {{ id: number, refused?: string }} answer */
  receive(answer) {
    const pending = this.pending.get(answer.id);
    this.pending.delete(answer.id);
    if (answer.refused !== undefined) pending?.refused(new Error(answer.refused));
    else pending?.answered(answer);
  }

  /**
   * Ask the server. Whoever asks says of what type the answer is, and a test compares that with the server's.
   * @template T
   * @param {string} question a function's name in `narrows.web.questions`
   * @param {Record<string, unknown>} [given]
   * @returns {Promise<T>}
   */
  ask(question, given = {}) {
    const id = ++this.number;
    const text = JSON.stringify({ id, ask: question, ...given });
    return new Promise((answered, refused) => {
      this.pending.set(id, { text, answered, refused });
      if (this.socket?.readyState === 1) this.socket.send(text);
    });
  }
  /**
   * @param {string} model
   * @param {Blob} image
   * @returns {Promise<Prepared>}
   */
  async prepare(model, image) {
    const response = await fetch(`/upload?model=${encodeURIComponent(model)}`, { method: 'POST', body: image });
    if (response.status === 500) throw new Error((await response.json()).error);
    return unpack(await response.arrayBuffer());
  }
}
