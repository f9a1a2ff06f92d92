import type Docker from 'dockerode';
import { demultiplex } from './demultiplex.js';
import { callEngine } from './docker-client.js';
import type { Task } from './engine-api.js';

const LINES = 20;
const MAX_LINE = 500;

/** The last lines that a task's container wrote; empty when there are none, or they are out of reach. */
export async function lastWords(docker: Docker, task: Task): Promise<string[]> {
  const id = task.Status.ContainerStatus?.ContainerID;
  if (!id) return [];
  try {
    const output = await callEngine(() =>
      docker
        .getContainer(id)
        .logs({ stdout: true, stderr: true, timestamps: true, tail: LINES, follow: false }),
    );
    // Each of the two streams is in order, but not the one with the other: the times, of one length, say which came first.
    return demultiplex(output)
      .map(({ line }) => ({
        time: line.slice(0, line.indexOf(' ')),
        text: line.slice(line.indexOf(' ') + 1),
      }))
      .sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
      .map(({ text }) => text.slice(0, MAX_LINE))
      .slice(-LINES);
  } catch {
    // Another node's, or removed by now: what failed is told without it.
    return [];
  }
}
