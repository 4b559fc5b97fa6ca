"""The OpenAI client, recorded, admitted by budgets, and not called again for an unchanged question.

Use healthpilot.ai.clients.
"""
