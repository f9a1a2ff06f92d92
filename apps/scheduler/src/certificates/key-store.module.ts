import { Module } from '@nestjs/common';
import { KeyringModule } from '../secrets/keyring.module.js';
import { KeyStore } from './key-store.js';

@Module({ imports: [KeyringModule], providers: [KeyStore], exports: [KeyStore] })
export class KeyStoreModule {}
