/** Nest's injection tokens for what is a value or an interface rather than a class. */
export const LOGGER = Symbol('LOGGER');
export const SERVICE_NAME = Symbol('SERVICE_NAME');
