/** The parts of the Docker Engine API (1.41) that are used here and that its client's types leave open. */

export type TaskState =
  | 'new'
  | 'pending'
  | 'assigned'
  | 'accepted'
  | 'preparing'
  | 'ready'
  | 'starting'
  | 'running'
  | 'complete'
  | 'shutdown'
  | 'failed'
  | 'rejected'
  | 'remove'
  | 'orphaned';

export interface Task {
  ID: string;
  CreatedAt: string;
  ServiceID: string;
  Slot?: number;
  NodeID?: string;
  DesiredState: string;
  NetworksAttachments?: { Network: { ID: string; Spec?: { Name: string } }; Addresses?: string[] }[];
  Spec: {
    ContainerSpec: {
      Image: string;
      User?: string;
      ReadOnly?: boolean;
      Labels?: Record<string, string>;
      Healthcheck?: { Test?: string[] };
      CapabilityAdd?: string[];
      CapabilityDrop?: string[];
      Mounts?: { Type: string; Source?: string }[];
    };
    Resources?: { Limits?: { NanoCPUs?: number; MemoryBytes?: number; Pids?: number } };
  };
  Status: {
    State: TaskState;
    Timestamp: string;
    Message?: string;
    Err?: string;
    ContainerStatus?: { ContainerID?: string; PID?: number; ExitCode?: number };
    PortStatus?: {
      Ports?: { TargetPort: number; PublishedPort: number; Protocol: 'tcp' | 'udp' }[];
    };
  };
}

export interface SwarmService {
  ID: string;
  Version: { Index: number };
  Spec: SwarmServiceSpec;
  UpdateStatus?: { State?: string; Message?: string; StartedAt?: string };
}

export interface Mount {
  Type: 'volume' | 'tmpfs';
  Source?: string;
  Target: string;
  ReadOnly?: boolean;
  VolumeOptions?: { NoCopy: boolean; Labels: Record<string, string> };
  TmpfsOptions?: { SizeBytes?: number; Mode?: number };
}

export interface ContainerTemplate {
  Image: string;
  Labels: Record<string, string>;
  Command?: string[];
  Args?: string[];
  Env: string[];
  User?: string;
  Init: boolean;
  ReadOnly: boolean;
  StopGracePeriod: number;
  Mounts: Mount[];
  Healthcheck?: {
    Test?: string[];
    Interval?: number;
    Timeout?: number;
    StartPeriod?: number;
    Retries?: number;
  };
  CapabilityAdd?: string[];
  CapabilityDrop?: string[];
  Secrets?: SecretReference[];
}

export interface SecretReference {
  SecretID: string;
  SecretName: string;
  File: { Name: string; UID: string; GID: string; Mode: number };
}

export interface TaskTemplate {
  ContainerSpec: ContainerTemplate;
  Resources: {
    Limits: { NanoCPUs: number; MemoryBytes: number; Pids: number };
    Reservations: { NanoCPUs?: number; MemoryBytes?: number };
  };
  RestartPolicy: { Condition: 'any'; Delay: number; MaxAttempts: number };
  Networks: { Target: string; Aliases: string[] }[];
}

export interface UpdateConfig {
  Parallelism: number;
  Delay: number;
  Order: 'start-first' | 'stop-first';
  FailureAction: string;
  Monitor: number;
  MaxFailureRatio: number;
}

export interface SwarmServiceSpec {
  Name: string;
  Labels: Record<string, string>;
  TaskTemplate: TaskTemplate;
  Mode: { Replicated: { Replicas: number } };
  UpdateConfig: UpdateConfig;
  RollbackConfig: UpdateConfig;
  EndpointSpec: {
    Mode: 'dnsrr';
    Ports: {
      Protocol: 'tcp' | 'udp';
      TargetPort: number;
      PublishedPort?: number;
      PublishMode: 'host';
    }[];
  };
}
