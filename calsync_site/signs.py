"""Connects the queue's signals to the heartbeat. Imported once the apps are ready."""

from django_q.signals import post_execute, post_execute_in_worker, pre_execute

from calsync_site import heartbeat

pre_execute.connect(heartbeat.task_begins)
post_execute_in_worker.connect(heartbeat.task_ends)
post_execute.connect(heartbeat.result_kept)
