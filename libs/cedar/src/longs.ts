import { fault } from './values.js';

/** A 64-bit integer: a number while it is a safe integer, a bigint beyond; never the one where it could be the other. */
export type Long = number | bigint;

const LEAST = -(2n ** 63n);
const MOST = 2n ** 63n - 1n;

/** Throws for what no Long can hold. */
export function long(value: bigint): Long {
  if (value < LEAST || value > MOST) return fault('integer overflow');
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

export function isLong(value: unknown): value is Long {
  return typeof value === 'number' || typeof value === 'bigint';
}

export function add(left: Long, right: Long): Long {
  if (typeof left === 'number' && typeof right === 'number') {
    const sum = left + right;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return long(BigInt(left) + BigInt(right));
}

export function subtract(left: Long, right: Long): Long {
  if (typeof left === 'number' && typeof right === 'number') {
    const difference = left - right;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return long(BigInt(left) - BigInt(right));
}

export function multiply(left: Long, right: Long): Long {
  if (typeof left === 'number' && typeof right === 'number') {
    const product = left * right;
    // Never -0, which no Long is.
    if (Number.isSafeInteger(product)) return product + 0;
  }
  return long(BigInt(left) * BigInt(right));
}

export function negate(value: Long): Long {
  return subtract(0, value);
}
