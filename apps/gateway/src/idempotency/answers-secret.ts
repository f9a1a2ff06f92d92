import { SetMetadata } from '@nestjs/common';

export const ANSWERS_SECRET = 'berth:answers-secret';

/** This route answers a secret that is shown once: its answer is kept for no `Idempotency-Key`. */
export const AnswersSecret = (): MethodDecorator => SetMetadata(ANSWERS_SECRET, true);
