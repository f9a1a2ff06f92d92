import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** An entry that a team added to its catalog. */
@Entity('catalog_entries')
export class CatalogEntryEntity {
  @PrimaryColumn('text')
  team!: string;

  @PrimaryColumn('text')
  name!: string;

  @Column('text')
  file!: string;

  @Column('text', { name: 'created_by' })
  createdBy!: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
