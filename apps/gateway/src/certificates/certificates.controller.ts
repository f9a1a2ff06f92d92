import { Body, Controller, Delete, Get, Inject, Param, Put, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  actions,
  Certificate,
  CertificateHost,
  certificateRpc,
  page,
  PageRequest,
  SetCertificate,
  type Page,
} from '@berth/contracts';
import { RpcClient } from '@berth/messaging';
import { z } from 'zod';
import { Operation } from '../http/operation.js';

const ByHost = z.strictObject({ host: CertificateHost });
type ByHost = z.infer<typeof ByHost>;

/** Keys come in here, and go out nowhere. */
@ApiTags('Certificates')
@Controller('v1/certificates')
export class CertificatesController {
  constructor(@Inject(RpcClient) private readonly rpc: RpcClient) {}

  @Get()
  @Operation(actions.certificateList, { answer: page(Certificate), errors: ['CURSOR_INVALID'] })
  list(@Query({ schema: PageRequest }) query: PageRequest): Promise<Page<Certificate>> {
    return this.rpc.call(certificateRpc.list, query);
  }

  @Put(':host')
  @Operation(actions.certificateSet, {
    answer: Certificate,
    errors: ['CERTIFICATE_INVALID', 'CONFLICT'],
    description:
      'It is shown to clients in place of one that is made, for all names that it stands for, and takes the place of ' +
      'one that was brought before. No answer, event, record or log ever holds a key.',
  })
  set(
    @Param({ schema: ByHost }) place: ByHost,
    @Body({ schema: SetCertificate }) body: SetCertificate,
  ): Promise<Certificate> {
    return this.rpc.call(certificateRpc.set, { ...place, ...body });
  }

  @Delete(':host')
  @Operation(actions.certificateRemove, { description: 'From then on one is made, as for other names.' })
  async remove(@Param({ schema: ByHost }) place: ByHost): Promise<void> {
    await this.rpc.call(certificateRpc.remove, place);
  }
}
