import { Controller, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiTags } from '@nestjs/swagger';
import { RouteConfig } from '@nestjs/platform-fastify';
import { actions, BuildOptions, BuiltImage, CONTEXT_MEDIA_TYPE } from '@berth/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Operation } from '../http/operation.js';
import { InProject } from '../http/places.js';
import { Builds } from './builds.js';

const ABOUT =
  'The body is the context: a tar archive, not compressed, with the Dockerfile in it, there within four minutes. The answer is a stream ' +
  'of server-sent events: `log` events with lines, then `built` with the image, or `error` with a problem; what is refused before it ' +
  'begins is a problem. To close the connection ends the build. The image goes into the registry as `<team>/<project>/<name>`, and stays ' +
  "within limits of processor and memory that the team's quota covers. What it starts from is looked up like the images of a deployment.";

/** Images that Berth makes. */
@ApiTags('Images')
@Controller('v1/projects/:project/builds')
export class BuildsController {
  constructor(private readonly builds: Builds) {}

  @Post()
  @RouteConfig({ takes: CONTEXT_MEDIA_TYPE })
  @ApiConsumes(CONTEXT_MEDIA_TYPE)
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @Operation(actions.imageBuild, {
    answer: BuiltImage,
    produces: 'text/event-stream',
    errors: [
      'DOCKERFILE_INVALID',
      'DOCKERFILE_UNSUPPORTED',
      'CONTEXT_INVALID',
      'IMAGE_NOT_FOUND',
      'QUOTA_EXCEEDED',
      'BUILD_FAILED',
      'TOO_MANY_REQUESTS',
      'UPSTREAM_UNAVAILABLE',
      'ENGINE_UNAVAILABLE',
    ],
    description: ABOUT,
  })
  async create(
    @Param({ schema: InProject }) place: InProject,
    @Query({ schema: BuildOptions }) options: BuildOptions,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.builds.start(place, options, request, reply);
  }
}
